"""m365audit: did the apps in a Microsoft 365 tenant do only what was agreed to?"""

__version__ = "0.1.0"
