"""Measures a class at work: N students run a lab at once on the hub that is running.

    make hub                              in one terminal
    python -m hub.benchmark               in another: 8 students run lab 01

Each student logs in, gets a server and runs the cells of the solved lab in a kernel of their own,
as `Run All` does. Printed are times, and the memory of each student's processes: the proportional
set size (PSS), in which what two processes share counts half for each.
"""

import argparse
import json
import os
import re
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
import psutil
import requests
from websocket import create_connection

from hub.sandbox import COURSE


class Student:
    """A student of the hub, who logs in when made."""

    def __init__(self, name, address, password):
        self.name, self.address, self.session = name, address, requests.Session()
        self.session.get(f"{address}/hub/login")
        form = {"username": name, "password": password, "_xsrf": self.session.cookies["_xsrf"]}
        self.session.post(f"{address}/hub/login", data=form).raise_for_status()

    def spawn(self, seconds=120):
        """Start the server; return the seconds until it answers."""
        start = time.monotonic()
        self.session.get(f"{self.address}/hub/spawn")
        while time.monotonic() < start + seconds:
            page = self.session.get(f"{self.address}/user/{self.name}/lab")
            if page.ok and "jupyter-config-data" in page.text:
                self.xsrf = self.session.cookies.get("_xsrf", path=f"/user/{self.name}/")
                return time.monotonic() - start
            time.sleep(0.5)
        raise TimeoutError(f"The server of {self.name} did not start within {seconds} s.")

    def api(self, method, path, **options):
        """Return what the student's server answers."""
        address = f"{self.address}/user/{self.name}/api/{path}"
        headers = {"X-XSRFToken": self.xsrf}
        answer = self.session.request(method, address, headers=headers, **options)
        answer.raise_for_status()
        return answer

    def run(self, cells):
        """Run code cells in a new kernel; return the seconds to the first output and to the end.

        Like `Run All` it stops at the first error: the third value is its name, else nothing.
        """
        start = time.monotonic()
        kernel = self.api("POST", "kernels", json={"path": "labs"}).json()["id"]
        address = f"{self.address.replace('http', 'ws', 1)}/user/{self.name}/api/kernels/{kernel}"
        cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.session.cookies)
        channel = create_connection(f"{address}/channels", cookie=cookies, timeout=900)
        first, error = None, ""
        for code in cells:
            output, error = self.run_cell(channel, code)
            if output and first is None:
                first = output - start
            if error:
                break
        end = time.monotonic() - start
        channel.close()
        self.api("DELETE", f"kernels/{kernel}")
        return first, end, error

    def run_cell(self, channel, code):
        """Return when a cell gave its first output, or nothing, and the name of its error.

        Reply and output come on two channels, in any order: a cell has ended when it was replied
        to and the kernel is idle again, which is the last that is said of it on the other channel.
        """
        header = {"msg_id": uuid.uuid4().hex, "msg_type": "execute_request", "version": "5.3"}
        header |= {"username": self.name, "session": self.name, "date": ""}
        message = {"header": header, "parent_header": {}, "metadata": {}, "channel": "shell"}
        channel.send(json.dumps(message | {"content": {"code": code, "silent": False}}))
        first, reply, idle = None, None, False
        while reply is None or not idle:
            answer = json.loads(channel.recv())
            if answer["parent_header"].get("msg_id") != header["msg_id"]:
                continue
            kind = answer["header"]["msg_type"]
            if kind in ("stream", "display_data", "execute_result"):
                first = first or time.monotonic()
            if kind == "execute_reply":
                reply = answer["content"]
            if kind == "status":
                idle = answer["content"]["execution_state"] == "idle"
        return first, reply.get("ename", "")


class Memory(threading.Thread):
    """Notes the most memory that each student's processes have had, in bytes of PSS."""

    def __init__(self, names):
        super().__init__(daemon=True)
        self.most, self.most_of_all, self.going = dict.fromkeys(names, 0), 0, True

    def run(self):
        while self.going:
            now = {name: self.of(name) for name in self.most}
            self.most = {name: max(now[name], self.most[name]) for name in now}
            self.most_of_all = max(sum(now.values()), self.most_of_all)
            time.sleep(1)

    def of(self, name):
        """Return the memory of a student's processes now: of the sandbox, and of all in it."""
        for process in psutil.process_iter(["name", "cmdline"]):
            words = process.info["cmdline"] or []
            if process.info["name"] == "bwrap" and f"/homes/{name} " in " ".join(words):
                # The first one found is the outermost: it was started first.
                return sum(map(pss, [process, *process.children(recursive=True)]))
        return 0


def pss(process):
    """Return the PSS of a process without its children, in bytes; 0 when it is gone."""
    try:
        text = Path(f"/proc/{process.pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    return 1024 * int(re.search(r"^Pss:\s+(\d+)", text, re.M)[1])


def measure(address, password, names, cells, greedy=False):
    """Let these students run cells at once; return a row for each, and the most memory of all.

    A row is {"server", "first", "end": seconds, "error": its name or nothing, "memory": bytes}.
    With `greedy` the first student asks for more memory than there is for one.
    """
    students = [Student(name, address, password) for name in names]
    work = dict.fromkeys(names, cells)
    if greedy:
        work[names[0]] = ["import numpy as np\nnp.ones(2**40)"]
    with ThreadPoolExecutor(len(names)) as pool:
        servers = list(pool.map(Student.spawn, students))
        memory = Memory(names)
        memory.start()
        runs = list(pool.map(lambda student: student.run(work[student.name]), students))
        memory.going = False
    rows = [
        {"server": server, "first": first, "end": end, "error": error, "memory": memory.most[name]}
        for name, server, (first, end, error) in zip(names, servers, runs, strict=True)
    ]
    return rows, memory.most_of_all


def main():
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m hub.benchmark", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--students", type=int, default=8, help="how many at once (8)")
    parser.add_argument("--lab", default="01", help="which lab they run (01)")
    parser.add_argument("--greedy", action="store_true", help="one wants too much memory")
    options = parser.parse_args()
    state = Path(os.environ.get("COURSE_HUB") or COURSE / "hub" / "state").resolve()
    password = (state / "student_password").read_text(encoding="utf-8").strip()
    address = f"http://127.0.0.1:{os.environ.get('HUB_PORT', '8000')}"
    (path,) = (COURSE / "solutions").glob(f"{options.lab}_*.ipynb")
    cells = [c.source for c in nbformat.read(path, as_version=4).cells if c.cell_type == "code"]
    names = [f"bench{number:02d}" for number in range(1, options.students + 1)]
    rows, most = measure(address, password, names, cells, options.greedy)
    for name, row in zip(names, rows, strict=True):
        print(
            f"{name}: server {row['server']:.0f} s, first output {row['first'] or 0:.0f} s, "
            f"end {row['end']:.0f} s, {row['memory'] / 1e9:.2f} GB {row['error']}"
        )
    print(f"together at most {most / 1e9:.1f} GB")


if __name__ == "__main__":
    main()
