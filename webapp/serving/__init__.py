"""Serve the app over HTTP: worker processes, an event loop in each, and threads for the answers.

    processes    fork the workers, replace those that end, stop them all
    server       the event loop of a worker: connections, time-outs, the stop
    channels     one connection: its requests in turn, answers as they leave
    arriving     one request as it arrives, admitted or refused by its head
    queues       requests that wait for a thread, one of each client in turn
    admission    which requests a worker takes on, decided before a body is read
    refusals     the answers to those it does not take on
    compression  compressed pages, and 304 for those that a browser has

Bodies and answers pass through buffers of the event loop, so a slow client holds a connection and
no thread. Each kind of request has its own threads: none of them can starve the
others, nor one client the others of its kind.
"""
