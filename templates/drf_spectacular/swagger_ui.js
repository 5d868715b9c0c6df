"use strict";

// Without the original's CSRF header: keys are all that the API asks for, and curl lines copied from the page stay clean.
SwaggerUIBundle({
  url: "{{ schema_url|escapejs }}",
  dom_id: "#swagger-ui",
  presets: [SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
  ...{{ settings|safe }},
});
