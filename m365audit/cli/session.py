"""What every command begins with: the configuration, its problems, the tenant that is meant, short paths."""

from __future__ import annotations

from pathlib import Path

from m365audit.cli.streams import say
from m365audit.config import LoadedPolicy, LoadedSettings, Settings, load_policy, load_settings
from m365audit.config.spelling import suggestion
from m365audit.errors import ConfigurationError


def load(config_path: Path | None) -> tuple[LoadedSettings, LoadedPolicy]:
    """Read configuration and policy, and say everything that is wrong with them.

    Raises:
        ConfigurationError: nothing in the configuration can be used, so nobody knows where anything is.
    """
    loaded = load_settings(config_path)
    is_lost = not loaded.settings.tenants and any(not p.path and not p.is_warning for p in loaded.problems)
    policy = load_policy(loaded.settings.policy)
    if policy.is_default and "policy" in loaded.settings.model_fields_set:
        say(f"warning: there is no policy at {loaded.settings.policy}; the product's defaults apply")
    for problem in (*loaded.problems, *(() if is_lost else policy.problems)):
        say(f"error: {problem}")
    if is_lost:
        raise ConfigurationError(f"nothing in {loaded.file} can be used", hint="correct the above; nothing was done")
    return loaded, policy


def check_state_is_known(loaded: LoadedSettings) -> None:
    """Make sure that evidence is not put into a folder that nobody named.

    Raises:
        ConfigurationError: ``state`` of the configuration cannot be used.
    """
    if any(problem.path == "state" or problem.code == "overlapping_folders" for problem in loaded.problems):
        raise ConfigurationError("nothing was taken in: where to keep it is not known", hint="correct `state:` first")


def tenant_id_of(settings: Settings, wanted: str) -> str:
    """Return the id of the tenant that a user names by id or name.

    Raises:
        ConfigurationError: there is none, or more than one.
    """
    found = {t.id for t in settings.tenants if wanted.lower() in {t.id, (t.name or "").lower()}}
    if len(found) == 1:
        return found.pop()
    known = [name for t in settings.tenants for name in (t.name, t.id) if name]
    hint = suggestion(wanted, known) if known else "add it to `tenants:` of the configuration"
    number = "more than one" if found else "no"
    raise ConfigurationError(f"the configuration has {number} tenant {wanted!r}", hint=hint)


def shown_path(path: Path) -> str:
    """Return a path as short as it can be typed from here."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
