"""Runs commands for a worker, one at a time. Started and spoken to by helper-process.ts.

Forking a worker with a large heap costs ten times as much as forking this small process. Only the standard library,
Python 3.8 or later. One file, so that starting it reads one file.

The worker writes requests to stdin, the next one only after the end of the last: the length of what follows in ten
digits, then fields with a NUL behind each: directory, count of words, count of variables, 1 or 0 for "has a stdin", the
words, the variables as NAME=value; and the text for stdin as the rest.

Answers go to stdout as frames: one letter, the length of the body in four bytes (big-endian), the body.

  H  the helper is ready: the version of this protocol
  S  started: pid
  O  output of the command
  X  the command's leader has ended, but something still writes: nothing
  D  done, all output was sent and the group was killed: pid, exit code or -1, signal or 0, CPU time in microseconds,
     peak memory in bytes or -1
  E  not started: the system's word for it, a blank, a message

A quick command is answered with a single write. What belongs together: the command's leader is not reaped before its
group was killed, so the group's number can't have become another's. The end of stdin or of stdout means that the worker
is gone: the running command's group is killed, and the helper ends. A helper that is killed itself leaves the pid of
its command in a file, behind the number of the request, counted from 1; the file's name is the only argument.
"""

import errno
import os
import select
import signal
import struct
import sys
import time

PROTOCOL = b"1"

# How long a started command is kept quiet about: most are over by then, and cost the worker one wake-up, not three.
HOLD_S = 0.003

# Output that is sent without waiting for more; also the most that is read at once (what a pipe holds).
CHUNK = 65536

# How long output may still come after the leader's end, and again after the rest of its group was killed.
DRAIN_S = 1.0

# Whoever stops a service may signal all its processes. A helper goes when its worker is gone, not before.
IGNORED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGPIPE)

# A command finds no signal ignored: not those above, nor what Python itself ignores.
DEFAULTED = IGNORED + (signal.SIGXFSZ,)

WORKER = 0
ANSWERS = 1


def main():
    for number in IGNORED:
        signal.signal(number, signal.SIG_IGN)
    # The signal of an ended child makes a pipe readable, so that one poll() waits for everything.
    ended, told = os.pipe()
    os.set_blocking(ended, False)
    os.set_blocking(told, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(told, warn_on_full_buffer=False)
    helper = Helper(ended, os.open(sys.argv[1], os.O_WRONLY))
    send(frame(b"H", PROTOCOL))
    while True:
        request = read_request()
        if request is None:
            return
        helper.run(request)


class Helper:
    def __init__(self, child_ended, last_pid):
        self.child_ended = child_ended
        self.last_pid = last_pid
        self.nothing = os.open(os.devnull, os.O_RDONLY)
        self.requests = 0
        self.memory_floor = peak_memory()
        self.poll = select.poll()
        self.poll.register(WORKER, select.POLLIN)
        self.poll.register(child_ended, select.POLLIN)

    def run(self, request):
        self.requests += 1
        pipe, stdout = os.pipe()
        try:
            pid = start(request, self.nothing, stdout)
        except OSError as error:
            os.close(pipe)
            word = errno.errorcode.get(error.errno, "UNKNOWN")
            send(frame(b"E", ("%s %s" % (word, os.strerror(error.errno))).encode()))
            return
        finally:
            os.close(stdout)
            # A helper without work keeps no directory busy.
            os.chdir("/")
        try:
            os.pwrite(self.last_pid, b"%19d %19d" % (self.requests, pid), 0)
            self.watch(Command(pid, pipe))
        except BaseException:
            kill_group(pid)
            raise

    def watch(self, command):
        """Passes the output on until the leader has ended and nobody holds the pipe."""
        self.poll.register(command.pipe, select.POLLIN)
        while not command.over():
            for descriptor, _ in self.poll.poll(command.patience()):
                if descriptor == WORKER:
                    # Nothing is asked while a command runs, so this is the end.
                    raise EOFError("the worker is gone")
                if descriptor == command.pipe:
                    command.take_output(self.poll)
                else:
                    clear(self.child_ended)
            command.look_for_end()
            command.keep_limits(self.poll)
        command.kill()
        _, status, usage = os.wait4(command.pid, 0)
        send(command.take_unsent() + self.describe(command.pid, status, usage))

    def describe(self, pid, status, usage):
        code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else -1
        number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
        micros = round((usage.ru_utime + usage.ru_stime) * 1e6)
        memory = usage.ru_maxrss * RSS_UNIT
        if memory > self.memory_floor:
            self.memory_floor = peak_memory()
        if memory <= self.memory_floor:
            memory = -1
        return frame(b"D", b"%d %d %d %d %d" % (pid, code, number, micros, memory))


class Command:
    def __init__(self, pid, pipe):
        self.pid = pid
        self.pipe = pipe
        self.is_told = False
        self.output = []
        self.output_bytes = 0
        self.send_at = time.monotonic() + HOLD_S
        self.has_ended = False
        self.has_killed = False
        self.drain_until = None

    def over(self):
        return self.has_ended and self.pipe is None

    def patience(self):
        """How long poll() may wait, in ms; None: for ever."""
        moments = [self.send_at, self.drain_until]
        moments = [moment for moment in moments if moment is not None]
        if not moments:
            return None
        return max(0, min(moments) - time.monotonic()) * 1000

    def take_output(self, poll):
        data = os.read(self.pipe, CHUNK)
        if not data:
            self.give_up_pipe(poll)
            return
        self.output.append(data)
        self.output_bytes += len(data)
        if self.output_bytes >= CHUNK:
            self.flush()
        elif self.send_at is None:
            self.send_at = time.monotonic() + HOLD_S

    def give_up_pipe(self, poll):
        poll.unregister(self.pipe)
        os.close(self.pipe)
        self.pipe = None

    def look_for_end(self):
        if not self.has_ended:
            # WNOWAIT: its number stays taken until the group was killed.
            options = os.WEXITED | os.WNOWAIT | os.WNOHANG
            self.has_ended = os.waitid(os.P_PID, self.pid, options) is not None

    def keep_limits(self, poll):
        if self.send_at is None and self.drain_until is None and not self.has_ended:
            return
        now = time.monotonic()
        if self.has_ended and self.pipe is not None:
            if self.drain_until is None:
                self.flush(frame(b"X", b""))
                self.drain_until = now + DRAIN_S
            elif now >= self.drain_until and not self.has_killed:
                self.kill()
                self.drain_until = now + DRAIN_S
            elif now >= self.drain_until:
                self.give_up_pipe(poll)
        if self.send_at is not None and now >= self.send_at:
            self.flush()

    def flush(self, last=b""):
        """Blocks while the worker does not read: then nothing is read from the command either."""
        started = b"" if self.is_told else frame(b"S", b"%d" % self.pid)
        send(started + self.take_unsent() + last)
        self.is_told = True
        self.send_at = None

    def take_unsent(self):
        if not self.output:
            return b""
        output = frame(b"O", b"".join(self.output))
        self.output = []
        self.output_bytes = 0
        return output

    def kill(self):
        self.has_killed = True
        kill_group(self.pid)


def start(request, nothing, stdout):
    """The number of the started process. Raises OSError with the reason where it did not start."""
    directory, words, variables, text = request
    os.chdir(directory)
    stdin = nothing if text is None else file_with(text)
    try:
        actions = [
            (os.POSIX_SPAWN_DUP2, stdin, 0),
            (os.POSIX_SPAWN_DUP2, stdout, 1),
            (os.POSIX_SPAWN_DUP2, stdout, 2),
        ]
        return spawn_found(words, variables, actions)
    finally:
        if text is not None:
            os.close(stdin)


def file_with(text):
    """An unnamed file to read as stdin: its writer need not wait for its reader."""
    if hasattr(os, "memfd_create"):
        file = os.memfd_create("stdin")
    else:
        import tempfile

        with tempfile.TemporaryFile() as temporary:
            file = os.dup(temporary.fileno())
    rest = memoryview(text)
    while rest:
        rest = rest[os.write(file, rest) :]
    os.lseek(file, 0, os.SEEK_SET)
    return file


def spawn_found(words, variables, actions):
    """Looks for the program where execvp() would: in the PATH that the command gets, not in the helper's."""
    program = words[0]
    if b"/" in program:
        return spawn(program, words, variables, actions)
    path = variables.get(b"PATH", b"/bin:/usr/bin")
    candidates = [(folder or b".") + b"/" + program for folder in path.split(b":")]
    refused = None
    for candidate in candidates:
        # Asked first, because a spawn that fails costs as much as one that works.
        if not os.access(candidate, os.X_OK):
            continue
        try:
            return spawn(candidate, words, variables, actions)
        except (FileNotFoundError, NotADirectoryError, PermissionError) as error:
            refused = error
    if refused is None and any(os.path.exists(candidate) for candidate in candidates):
        refused = PermissionError(errno.EACCES, "")
    raise refused or FileNotFoundError(errno.ENOENT, "")


def spawn(path, words, variables, actions):
    options = {"file_actions": actions, "setsigdef": DEFAULTED, "setsigmask": ()}
    options.update(OWN_GROUP)
    try:
        return os.posix_spawn(path, words, variables, **options)
    except OSError as error:
        if error.errno != errno.ENOEXEC:
            raise
        # As execvp() does: what is executable and no binary is a script.
        return os.posix_spawn(b"/bin/sh", [b"/bin/sh", path] + words[1:], variables, **options)


def own_group():
    """A session of its own where the system can do that at the start, else a process group."""
    try:
        pid = os.posix_spawn("/bin/sh", ["sh", "-c", ":"], {}, setsid=True)
    except NotImplementedError:
        return {"setpgroup": 0}
    os.waitpid(pid, 0)
    return {"setsid": True}


def close_inherited():
    """Nothing that the worker itself was started with gets to a command."""
    # Listed, not counted through: the limit is a thousand million in some containers.
    for name in os.listdir("/dev/fd"):
        if int(name) > 2:
            try:
                os.close(int(name))
            except OSError:
                # The one that the listing itself had open.
                pass


def kill_group(pid):
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        # Nobody is left, or what is left has become another user's.
        pass


def read_request():
    """None where the worker has gone."""
    data = os.read(WORKER, CHUNK)
    while len(data) < 10:
        more = os.read(WORKER, CHUNK)
        if not more:
            return None
        data += more
    size = int(data[:10])
    if len(data) < 10 + size:
        data = bytearray(data)
        while len(data) < 10 + size:
            more = os.read(WORKER, 1 << 20)
            if not more:
                return None
            data += more
        data = bytes(data)
    directory, count, variables, has_stdin, rest = data[10:].split(b"\0", 4)
    count = int(count)
    fields = rest.split(b"\0", count + int(variables))
    pairs = dict(pair.split(b"=", 1) for pair in fields[count:-1])
    return directory, fields[:count], pairs, fields[-1] if has_stdin == b"1" else None


def frame(kind, body):
    return struct.pack(">cI", kind, len(body)) + body


def send(data):
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(ANSWERS, rest) :]


def clear(pipe):
    try:
        os.read(pipe, CHUNK)
    except BlockingIOError:
        pass


def peak_memory():
    """Of this process, in bytes. A command's own peak begins there, so no smaller one can be told."""
    try:
        with open("/proc/self/status") as status:
            return next(int(line.split()[1]) << 10 for line in status if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        # Not Linux: there a new process begins with nothing.
        return 0


# ru_maxrss counts in KB, on macOS in bytes.
RSS_UNIT = 1 if sys.platform == "darwin" else 1024

if __name__ == "__main__":
    if sys.version_info < (3, 8):
        sys.exit("Python 3.8 or later is needed, this is %s" % sys.version.split()[0])
    close_inherited()
    OWN_GROUP = own_group()
    try:
        main()
    except (EOFError, BrokenPipeError, ConnectionResetError):
        # The worker is gone.
        pass
