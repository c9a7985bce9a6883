"""Images, sounds and files inside a message: their formats, sizes and bytes.

    formats     detects a format by the first bytes, and sanitizes file names
    headers     reads the size of an image, and the length of a sound
    inline      base64 or a `data:` URI as `InlineMedia`: digest, size, strict decoding
    finding     finds the media in a message, and base64 in any text
    describing  sentences about media: lengths, false declarations, why an image is not shown
    cache       media of recent pages, in a folder that all workers share

Uses values, the standard library and tinytag only. Nothing trusts the type that a message
declares.
"""

from webapp.media.cache import MediaCache
from webapp.media.describing import (
    describe_contradiction,
    describe_format,
    describe_length,
    explain_download,
    is_cut_off,
)
from webapp.media.finding import (
    extract_media,
    find_encoded,
    find_images,
    find_media,
    find_other_images,
    find_unshown_images,
    parse_data_uri,
)
from webapp.media.formats import DOWNLOAD, Format, detect_format, sanitize_file_name
from webapp.media.inline import InlineMedia, NotMedia

__all__ = [
    "DOWNLOAD",
    "Format",
    "InlineMedia",
    "MediaCache",
    "NotMedia",
    "describe_contradiction",
    "detect_format",
    "find_unshown_images",
    "find_other_images",
    "describe_format",
    "is_cut_off",
    "describe_length",
    "parse_data_uri",
    "find_encoded",
    "find_images",
    "find_media",
    "extract_media",
    "sanitize_file_name",
    "explain_download",
]
