"""One engine with one network in a process of its own: thread pools and allocators of two engines never meet. The
parent asks for one thing at a time, so that only one process computes."""
import multiprocessing
import os
import pathlib
import resource
import time
import traceback

import peers


def _handle(session, inputs, request):
    if request[0] == "time":
        _, seconds, least = request
        times, end = [], time.perf_counter() + seconds
        while len(times) < least or time.perf_counter() < end:
            begin = time.perf_counter()
            session.run(inputs)
            times.append((time.perf_counter() - begin) * 1e3)
        return times
    if request[0] == "outputs":
        return session.outputs(inputs)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _serve(pipe, peer, net, prepared, precision, threads, inputs):
    try:
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
        module = peers.load(peer)
        begin = time.perf_counter()
        session = module.Session(net, prepared, precision, threads)
        loaded = time.perf_counter()
        session.run(inputs)
        pipe.send({"load_ms": (loaded - begin) * 1e3, "first_ms": (time.perf_counter() - loaded) * 1e3})
        while (request := pipe.recv()) is not None:
            pipe.send(_handle(session, inputs, request))
    except EOFError:
        pass
    except Exception as error:  # whatever a peer throws belongs into the table, not onto the screen
        pipe.send(error if isinstance(error, peers.Missing) else peers.Missing(_describe(error)))


def _prepare(pipe, peer, net, precision, images, folder):
    log = os.open(folder / "prepare.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(log, 1)  # quantizers talk a lot
    os.dup2(log, 2)
    try:
        module = peers.load(peer)
        pipe.send((module.version(), module.prepare(net, precision, images, folder)))
    except Exception as error:
        traceback.print_exc()
        pipe.send(error if isinstance(error, peers.Missing) else peers.Missing(_describe(error)))


def _describe(error):
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0][:160] if lines else ''}"


class Process:
    """A child process with a pipe; its failures come out as peers.Missing."""

    def __init__(self, target, *arguments):
        context = multiprocessing.get_context("spawn")
        self.pipe, child = context.Pipe()
        self.process = context.Process(target=target, args=(child, *arguments), daemon=True)
        self.process.start()
        child.close()

    def receive(self, timeout):
        if not self.pipe.poll(timeout):
            self.close()
            raise peers.Missing(f"no answer within {timeout} s")
        try:
            answer = self.pipe.recv()
        except (EOFError, ConnectionError) as error:
            self.process.join(5)
            raise peers.Missing(f"the process ended with {self.process.exitcode}") from error
        if isinstance(answer, Exception):
            raise answer
        return answer

    def close(self):
        self.process.kill()
        self.process.join()


def prepare(peer, net, precision, images, folder, timeout):
    """(version, whatever the peer's Session wants)"""
    folder = pathlib.Path(folder).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    process = Process(_prepare, peer, net, precision, images, folder)
    try:
        return process.receive(timeout)
    finally:
        process.close()


class Worker:
    """A running session. `facts` holds load_ms and first_ms."""

    def __init__(self, peer, net, prepared, precision, threads, inputs, timeout):
        self.timeout = timeout
        self.process = Process(_serve, peer, net, prepared, precision, threads, inputs)
        self.facts = self.process.receive(timeout)

    def ask(self, *request):
        self.process.pipe.send(request)
        return self.process.receive(self.timeout)

    def close(self):
        self.process.close()
