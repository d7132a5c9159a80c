"""Who is at the keyboard: the operating system's user, as the person that the configuration knows them as."""

from __future__ import annotations

import getpass

from m365audit.config import Settings
from m365audit.store.journal import Actor


def os_actor(settings: Settings) -> Actor:
    """Return who types: not authenticated by anything but the operating system, and labelled so."""
    user = getpass.getuser()
    identity = f"os:{user}"
    person = settings.review.person_of(identity)
    if person is None:
        return Actor(identity, identity, user, (), "os")
    return Actor(identity, person.person, person.name or person.person, tuple(person.roles), "os")
