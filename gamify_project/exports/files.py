"""The answer with the file of an export, for the API and the console."""

from django.http import StreamingHttpResponse

from gamify_project.exports.building import chunks_of
from gamify_project.exports.formats import FORMATS
from gamify_project.exports.models import Export


def file_response(export: Export) -> StreamingHttpResponse:
    """Return the file as a stream. If it is deleted meanwhile, the connection breaks before the promised length."""
    name = f"{export.kind}-{export.created_at:%Y-%m-%dT%H%M}.{export.format}"
    headers = {
        "Content-Length": str(export.size),
        "Content-Disposition": f'attachment; filename="{name}"',
        "ETag": f'"{export.sha256}"',
        "Cache-Control": "private, no-store",
    }
    return StreamingHttpResponse(chunks_of(export), content_type=FORMATS[export.format].media_type, headers=headers)
