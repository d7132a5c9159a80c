"""Exported log files: opened, recognised by content, and made ready for the store without losing a record.

Must never interpret a record, and never speak to the database.
"""

from m365audit.exports.archives import Archive, Member, is_archive
from m365audit.exports.find import find_files
from m365audit.exports.kinds import KINDS
from m365audit.exports.prepare import prepare
from m365audit.exports.storage_path import covered_hour, declared_tenants

__all__ = ["KINDS", "Archive", "Member", "covered_hour", "declared_tenants", "find_files", "is_archive", "prepare"]
