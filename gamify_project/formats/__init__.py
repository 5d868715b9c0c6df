"""Date formats of the console (settings.FORMAT_MODULE_PATH).

They are in a module, because the formats of a language take precedence over Django's format settings.
"""
