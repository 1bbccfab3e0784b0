"""Tells twistd that there is `twistd sipveil`. There is no __init__.py here: twisted/plugins is Twisted's package."""

from twisted.application.service import ServiceMaker

sipveil = ServiceMaker("Sipveil", "tap.plugin", "SIP proxy that hides what calls should not say", "sipveil")
