"""The same client in a browser: a page, a door in front of it, and one client process for each page."""
