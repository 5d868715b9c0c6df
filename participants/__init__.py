"""The bottom of the chain: tenants, keys, participants, the unit of work, the catalog, the outbox and the registries."""
