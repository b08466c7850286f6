"""
The peers' side of a race: prepares a task, runs it, says what it took; a line of JSON each way (bench/contestant.ts).
Modules are loaded when a task wants them; what is not installed makes the task absent, not an error.
"""

import json
import sys
import time
import warnings

warnings.filterwarnings("ignore")


def resident_bytes(key):
    with open("/proc/self/status") as status:
        for line in status:
            if line.startswith(key):
                return 1024 * int(line.split()[1])
    return 0


def main():
    say_to = sys.stdout
    sys.stdout = sys.stderr  # what libraries print stays out of the lines
    idle, run = 0, None

    def say(answer):
        say_to.write(json.dumps(answer) + "\n")
        say_to.flush()

    for line in sys.stdin:
        message = json.loads(line)
        try:
            if "prepare" in message:
                job = message["prepare"]
                try:
                    if job["peer"] == "torch":
                        import torch_tasks as tasks
                    elif job["task"] == "readFormat":
                        import reader_tasks as tasks
                    else:
                        import signal_tasks as tasks
                    task = tasks.find(job)
                except ImportError as error:
                    say({"absent": str(error)})
                    continue
                idle = resident_bytes("VmRSS")
                ready, run = task(job)
                say(ready)
            elif "run" in message:
                seconds = []
                for _ in range(message["run"]):
                    begun = time.perf_counter()
                    run()
                    seconds.append(time.perf_counter() - begun)
                say({"seconds": seconds})
            else:
                say({"peakBytes": resident_bytes("VmHWM"), "idleBytes": idle})
        except Exception as error:  # the race goes on without this rival
            say({"error": f"{type(error).__name__}: {error}"[:600]})


if __name__ == "__main__":
    main()
