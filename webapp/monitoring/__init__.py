"""Report to operators on a running Readback, without any content.

request_ids     an id for each request, in logs, answers and requests to other servers
request_log     the WSGI layer that sets the id, and writes a line for each request
logs            the two forms of the log: text, and one JSON object a line
metrics         counters of all worker processes, for Prometheus
exporter        serves them on a separate port
"""
