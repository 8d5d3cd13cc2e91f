"""The measuring of a class: when a cell has ended."""

import json

import pytest

from hub.benchmark import Student


class Channel:
    """Answers a cell with messages in a given order, after one of another cell."""

    def __init__(self, kinds):
        self.kinds = kinds

    def send(self, message):
        sent = json.loads(message)["header"]["msg_id"]
        contents = {
            "execute_reply": {"ename": "ValueError"},
            "busy": {"execution_state": "busy"},
            "idle": {"execution_state": "idle"},
            "stream": {"text": "here"},
        }
        self.answers = [("stream", {"text": "old"}, "another")]
        self.answers += [(kind, contents[kind], sent) for kind in self.kinds]

    def recv(self):
        kind, content, parent = self.answers.pop(0)
        kind = "status" if kind in ("busy", "idle") else kind
        answer = {"header": {"msg_type": kind}, "parent_header": {"msg_id": parent}}
        return json.dumps(answer | {"content": content})


@pytest.mark.parametrize(
    ("kinds", "output"),
    [
        (["busy", "stream", "execute_reply", "idle"], True),
        (["busy", "execute_reply", "stream", "idle"], True),
        (["busy", "stream", "idle", "execute_reply"], True),
        (["busy", "execute_reply", "idle"], False),
    ],
)
def test_a_cell_has_ended_after_its_reply_and_its_last_output(kinds, output):
    student = Student.__new__(Student)
    student.name = "ada"
    channel = Channel(kinds)
    first, error = student.run_cell(channel, "print('here')")
    assert ((first is not None), error, channel.answers) == (output, "ValueError", [])
