"""A completion as JSON text: parsed into records for the store, and serialized for the API.

records            the record of a completion that the store saves
api_json           the JSON that the API serves, and that which was given
facts              the values that lists, searches and conversations use
passages           the texts of a message, as they are searched
chains             the digests by which completions that continue each other are found
reported_errors    the error that a model server reports within an answer

These build completions from documents of other forms:

from_exchange      a recorded request with its answer
from_files         conversations, requests, responses, pages of messages
from_logs          logs of requests with their answers
from_evaluations   logs of evaluations
from_spans         the spans of traces
span_exports       the lists of spans in exports of OTLP and Jaeger
datasets           rows of training data
chats              conversations that programs export or keep
other_apis         requests and responses of other APIs
"""
