"""Images, sounds and files that stand inside a message: what they are, and their bytes.

    formats     the type of some bytes, from their first ones
    pixels      the size of an image, from its header
    durations   the length of a sound, from its headers
    inline      base64 or a `data:` URI as `InlineMedia`: digest, size, strict decoding
    finding     where media stand in a message
    describing  what a reader is told: lengths, false claims, why something is withheld
    file_names  names that somebody sent, made harmless
    cache       what pages have shown lately, in a folder all workers share

Values, the standard library and tinytag only. Nothing here believes a type that a message
claims.
"""

from webapp.media.cache import MediaCache
from webapp.media.describing import (
    describe_contradiction,
    describe_format,
    describe_length,
    explain_download,
    is_cut_off,
)
from webapp.media.file_names import sanitize_file_name
from webapp.media.finding import (
    extract_media,
    find_media,
    find_other_images,
    find_unshown_images,
    parse_data_uri,
)
from webapp.media.formats import DOWNLOAD, Format, detect_format
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
    "find_media",
    "extract_media",
    "sanitize_file_name",
    "explain_download",
]
