"""Steps of the permission catalogue's compilation; used by tools/build_catalogue.py only."""
