"""Runs one command and writes what it took, as JSON, to a file: RESULT LIMIT COMMAND...

A program of its own, with nothing imported that it does not need: the peak memory that the kernel
reports for a command begins at that of the process which started it.
"""

import os
import signal
import sys
import time


def main() -> None:
    result, limit, command = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
    begin = time.perf_counter()
    child = os.fork()
    if child == 0:
        os.setpgid(0, 0)
        try:
            os.execvp(command[0], command)
        finally:
            os._exit(127)

    def stop(*_: object) -> None:
        os.killpg(child, signal.SIGKILL)

    signal.signal(signal.SIGALRM, stop)
    signal.signal(signal.SIGTERM, stop)
    signal.alarm(limit)
    try:
        _, status, usage = os.wait4(child, 0)
    except KeyboardInterrupt:
        stop()
        raise
    wall = time.perf_counter() - begin
    with open(result, "w") as file:  # noqa: PTH123 (pathlib is not imported here)
        file.write(
            f'{{"status": {os.waitstatus_to_exitcode(status)}, "wall": {wall:.6f},'
            f' "cpu": {usage.ru_utime + usage.ru_stime:.6f}, "peak": {usage.ru_maxrss * 1024}}}'
        )


main()
