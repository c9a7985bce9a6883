"""Forward create requests to a model server, and record its answers.

model_server     the server that requests are forwarded to, and its answer as it arrives
sse              a stream of bytes as server-sent events
stream_assembly  the chunks of a stream as one completion
value_assembly   objects, lists and calls that come in pieces
text_assembly    a text that comes in pieces, of which some repeat all before
call_assembly    which pieces of streamed tool calls belong together
answers          reads answers, streamed or whole
exchange         a request with its answer as one text, for the spool
recorder         stores one answer, complete or not
spool            keeps exchanges in a folder while the store cannot take them
recovery         opens the store again, and adds the spooled completions
retention        deletes completions that were stored too long ago
"""
