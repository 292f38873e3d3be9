"""`python -m chat.reading NAME < file > answer`: one file read within limits of memory and time (see apart.py)."""

import json
import resource
import sys

MEMORY = 1024 * 1024 * 1024
SECONDS = 40


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))  # it writes no file
    from chat.reading import UnreadableError, read

    try:
        answer = read(sys.argv[1], sys.stdin.buffer.read())._asdict()
    except UnreadableError as error:
        answer = {"error": str(error)}
    except (MemoryError, RecursionError):
        answer = {"error": "It is too complicated to be read. Copy its text into a new file."}
    sys.stdout.write(json.dumps(answer))


main()
