"""The answer with the file of an export, for the API and the console."""

from django.http import StreamingHttpResponse

from gamify_project.exports.building import chunks_of
from gamify_project.exports.formats import FORMATS
from gamify_project.exports.models import Export
from participants.downloads import uncached


def file_response(export: Export) -> StreamingHttpResponse:
    """Return the file as a stream. If it is deleted meanwhile, the connection breaks before the promised length."""
    name = f"{export.kind}-{export.created_at:%Y-%m-%dT%H%M}.{export.format}"
    headers = {"Content-Length": str(export.size), "ETag": f'"{export.sha256}"'}
    media_type = FORMATS[export.format].media_type
    response = StreamingHttpResponse(chunks_of(export), content_type=media_type, headers=headers)
    return uncached(response, file_name=name)
