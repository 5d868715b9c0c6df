"""The OpenAPI document: what drf-spectacular generates from the views, and what it cannot know.

- `config`: the settings of drf-spectacular. They name the hooks below.
- `operations`: a hook that adds errors, headers and descriptions of parameters to every operation.
- `problems`: the errors that operations have in common.
- `responses`: error responses in the dialect of their path.
- `components`: bodies of errors, headers and parameters, which the operations refer to.
- `webhooks`: a hook that adds the section `webhooks`, with the deliveries of each event type.
- `docs`: the document at /api/schema, and the page at /api/docs.

What a single endpoint declares about itself is beside the endpoint, with `@operation` (`participants.api.schema`).
"""
