# Reads and writes DNS messages with dnspython, for dns_oracle_test.cc.
#
#   dns_oracle.py read     each line of the input is a message as hexadecimal digits; prints it as
#                          text, its records in order, and an empty line
#   dns_oracle.py write    prints messages of many kinds: a line with the digits, then that text
import random
import sys

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype


def text_of(message):
    flags = "".join(
        " " + word
        for word, flag in (("aa", dns.flags.AA), ("tc", dns.flags.TC))
        if message.flags & flag
    )
    lines = []
    marks = {"answer": "", "authority": "auth ", "additional": "add "}
    for section, mark in marks.items():
        for rrset in getattr(message, section):
            for data in rrset:
                lines.append(
                    f"{mark}{rrset.name.to_text()} {rrset.ttl} IN "
                    f"{dns.rdatatype.to_text(rrset.rdtype)} {data.to_text()}"
                )
    return "\n".join([dns.rcode.to_text(message.rcode()) + flags] + sorted(lines))


def read():
    for line in sys.stdin:
        print(text_of(dns.message.from_wire(bytes.fromhex(line.strip()))) + "\n")


def random_name(source):
    labels = [source.choice(["a", "b", "Web", "_tcp", "x" * 63, "y" * 30]) for _ in range(source.randrange(1, 4))]
    return ".".join(labels) + "." + source.choice(["example.", "svc.cluster.local.", ""])


def random_record(source):
    name = random_name(source)
    data = {
        "A": "192.0.2.%d" % source.randrange(256),
        "AAAA": "2001:db8::%x" % source.randrange(1, 65536),
        "CNAME": random_name(source),
        "NS": random_name(source),
        "PTR": random_name(source),
        "MX": "%d %s" % (source.randrange(65536), random_name(source)),
        "SRV": "0 %d 443 %s" % (source.randrange(65536), random_name(source)),
        "TXT": '"1.1.0" "a \\"quoted\\" text"',
        "HINFO": '"RFC8482" ""',
        "SOA": "%s %s 1 2 3 4 5" % (random_name(source), random_name(source)),
        "TYPE65280": "\\# 3 0a0bff",
    }
    kind = source.choice(list(data))
    return f"{name} {source.randrange(100000)} IN {kind} {data[kind]}"


def write():
    source = random.Random(1)
    for index in range(400):
        text = "id 7\nopcode QUERY\nrcode %s\nflags QR RD RA%s\n" % (
            source.choice(["NOERROR", "NXDOMAIN", "SERVFAIL", "REFUSED"]),
            source.choice(["", " AA", " TC"]),
        )
        text += ";QUESTION\n%s IN A\n" % random_name(source)
        for section in ("ANSWER", "AUTHORITY", "ADDITIONAL"):
            records = [random_record(source) for _ in range(source.randrange(5))]
            text += ";%s\n%s\n" % (section, "\n".join(records))
        message = dns.message.from_text(text)
        if index % 2:
            message.use_edns(0, 0, 1232, options=[dns.edns.GenericOption(10, b"12345678")])
        print(message.to_wire(max_size=65535).hex())
        print(text_of(message) + "\n")


{"read": read, "write": write}[sys.argv[1]]()
