#!/usr/bin/python3
"""The part of firewalld that the firewall plugin calls, on the bus that DBUS_SYSTEM_BUS_ADDRESS
names, as in the Go plugin's own tests. Each accepted change is a line on standard output."""
import dbus
import dbus.mainloop.glib
import dbus.service
from gi.repository import GLib

NAME = "org.fedoraproject.FirewallD1"
ZONE = NAME + ".zone"


class Refusal(dbus.DBusException):
    _dbus_error_name = NAME + ".Exception"


class Firewalld(dbus.service.Object):
    sources = {}

    @dbus.service.method(ZONE, in_signature="ss", out_signature="s")
    def addSource(self, zone, source):
        if source in self.sources:
            raise Refusal("ZONE_ALREADY_SET: '%s' already bound" % source)
        if zone == "refusing":
            raise Refusal("INVALID_ZONE: " + zone)
        self.sources[source] = zone
        print("add", zone, source, flush=True)
        return zone

    @dbus.service.method(ZONE, in_signature="ss", out_signature="s")
    def removeSource(self, zone, source):
        if self.sources.pop(source, None) is None:
            raise Refusal("UNKNOWN_SOURCE: " + source)
        print("remove", zone, source, flush=True)
        return zone

    @dbus.service.method(ZONE, in_signature="ss", out_signature="b")
    def querySource(self, zone, source):
        return self.sources.get(source) == zone


dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)
name = dbus.service.BusName(NAME, dbus.SystemBus())
service = Firewalld(name, "/org/fedoraproject/FirewallD1")
print("ready", flush=True)
GLib.MainLoop().run()
