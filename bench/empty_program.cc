// empty_program: what starting a static program costs when it does nothing.
int main() {}
