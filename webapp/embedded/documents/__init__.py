"""A completion as JSON text: parsed into records for the store, and serialized for the API.

records          the record of a completion that the store saves
api_json         the JSON that the API serves, and that which was given
facts            what lists, searches and conversations are made from, with
                 passages (the searched texts) and chains (the digests that link completions)
reported_errors  the error that a model server reports within an answer
from_*           completions from exchanges, files, logs, evaluations, and spans (span_exports)
datasets/        completions from rows of training data
chats/           completions from the conversations that programs export or keep
other_apis/      requests and responses of other APIs as those of Chat Completions
"""
