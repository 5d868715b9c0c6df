"""How the console writes dates: settings.FORMAT_MODULE_PATH, since a language's own formats win over settings."""
