"""docker-py against the engine: what scripts do every day, and the errors that they tell apart.

Run by tests/it/docker_api/python.rs with DOCKER_HOST set and busybox loaded, by the newest docker-py
and by Debian's. It prints "all well" when every check held, and fails by an exception else.
"""

import pathlib
import socket
import sys
import tempfile
import threading
import time

import docker
from docker.errors import APIError, BuildError, ContainerError, ImageNotFound, NotFound


def expect(error, status, words, call):
    """Calls, and wants this kind of error, with this status and these words in it."""
    try:
        call()
    except error as raised:
        told = str(getattr(raised, "explanation", None) or raised)
        code = raised.response.status_code if raised.response is not None else None
        assert code == status, (code, told)
        assert words in told, told
        return
    raise AssertionError(f"{words!r} was expected, and nothing was raised")


def until(fact):
    """Looks again and again until something is so; both outputs are read apart, in no order."""
    deadline = time.monotonic() + 20
    while not fact():
        assert time.monotonic() < deadline, "it never came to be"
        time.sleep(0.01)


def lives(client):
    """A container from create to remove, seen in every way there is."""
    events = client.events(decode=True, filters={"type": "container", "container": "shop"})
    told = []
    listener = threading.Thread(target=lambda: told.extend(until_destroyed(events)), daemon=True)
    listener.start()

    made = client.containers.create(
        "busybox",
        ["sh", "-c", "echo open; echo oops >&2; trap 'exit 7' TERM; while true; do sleep 0.05; done"],
        name="shop",
        network_mode="none",
        environment={"GREETING": "hello there"},
        labels={"app": "x"},
        mem_limit="64m",
        hostname="till",
    )
    assert made.status == "created", made.status
    made.start()
    shop = client.containers.get("shop")
    assert (shop.status, shop.id) == ("running", made.id)
    assert [one.name for one in client.containers.list(filters={"label": "app=x"})] == ["shop"]
    assert shop.attrs["HostConfig"]["Memory"] == 64 << 20

    follower = shop.logs(stream=True, follow=True, stderr=False)
    assert next(follower) == b"open\n"
    until(lambda: shop.logs(stdout=False) == b"oops\n")
    assert b"Z open\n" in shop.logs(timestamps=True)

    code, output = shop.exec_run(["sh", "-c", "hostname; echo $GREETING; echo bad >&2; exit 4"], demux=True)
    assert (code, output) == (4, (b"till\nhello there\n", b"bad\n")), (code, output)
    code, output = shop.exec_run("id -u", user="1000", tty=True)
    assert (code, output) == (0, b"1000\r\n"), (code, output)
    code, output = shop.exec_run("no-such-program")
    assert code == 127 and b"no-such-program" in output, (code, output)

    sample = shop.stats(stream=False)
    assert 0 < sample["memory_stats"]["usage"] < 64 << 20, sample
    assert sample["pids_stats"]["current"] >= 1, sample
    assert sample["cpu_stats"]["system_cpu_usage"] > sample["precpu_stats"]["system_cpu_usage"]
    stream = shop.stats(decode=True, stream=True)
    assert next(stream)["name"] == "/shop"
    stream.close()
    assert any("while true" in " ".join(row) for row in shop.top()["Processes"]), shop.top()

    shop.rename("store")
    shop.rename("shop")
    shop.stop(timeout=5)
    assert shop.wait()["StatusCode"] == 7
    shop.reload()
    assert (shop.status, shop.attrs["State"]["ExitCode"]) == ("exited", 7)
    shop.restart(timeout=0)
    shop.kill("SIGKILL")
    assert shop.wait(condition="not-running")["StatusCode"] == 137
    shop.remove()
    expect(NotFound, 404, "No such container: shop", lambda: client.containers.get("shop"))
    listener.join(20)
    for action in ["create", "start", "exec_die", "rename", "kill", "die", "stop", "restart", "destroy"]:
        assert action in told, (action, told)


def until_destroyed(events):
    for event in events:
        yield event["Action"].split(":")[0]
        if event["Action"] == "destroy":
            return


def streams(client):
    """Attaching, both ways of it: the socket that scripts write to, and the plain stream."""
    talker = client.containers.create("busybox", "cat", stdin_open=True, network_mode="none", name="talker")
    pipe = talker.attach_socket(params={"stdin": 1, "stdout": 1, "stream": 1})
    talker.start()
    raw = getattr(pipe, "_sock", pipe)
    raw.sendall(b"some words\n")
    raw.shutdown(socket.SHUT_WR)
    heard = b""
    while chunk := raw.recv(4096):
        heard += chunk
    assert heard == b"\x01\0\0\0\0\0\0\x0bsome words\n", heard
    pipe.close()
    assert talker.wait()["StatusCode"] == 0
    assert talker.attach(logs=True, stream=False) == b"some words\n"
    talker.remove()

    shell = client.containers.run("busybox", "sh", tty=True, stdin_open=True, detach=True, network_mode="none")
    shell.resize(height=31, width=97)
    pipe = shell.exec_run("sh", tty=True, stdin=True, socket=True).output
    raw = getattr(pipe, "_sock", pipe)
    raw.sendall(b"echo $((6 * 7)); exit\n")
    heard = b""
    while chunk := raw.recv(4096):
        heard += chunk
    assert b"\r\n42\r\n" in heard, heard
    pipe.close()
    shell.remove(force=True)


def one_shot(client):
    """`containers.run` as a function call: its output, or its exit code as an exception."""
    said = client.containers.run("busybox", "echo hi", remove=True, network_mode="none")
    assert said == b"hi\n", said
    try:
        client.containers.run("busybox", ["sh", "-c", "echo no >&2; exit 3"], remove=True, network_mode="none")
    except ContainerError as error:
        assert (error.exit_status, error.stderr) == (3, b"no\n"), error
    else:
        raise AssertionError("a failed command was no error")
    assert client.containers.list(all=True) == []


def errors(client):
    """Each mistake has its class, its status and Docker's words."""
    expect(NotFound, 404, "No such container: ghost", lambda: client.containers.get("ghost"))
    expect(ImageNotFound, 404, "No such image: ghost:1", lambda: client.images.get("ghost:1"))
    expect(ImageNotFound, 404, "No such image", lambda: client.containers.create("ghost:1", "true"))
    expect(APIError, 400, "HostConfig.Isolation", lambda: client.api.create_container(
        "busybox", "true", host_config={"Isolation": "hyperv"}))
    box = client.containers.create("busybox", "sleep 1000", name="box", network_mode="none")
    expect(APIError, 409, "is not running", lambda: box.exec_run("true"))
    expect(APIError, 409, "is not running", lambda: box.kill())
    expect(APIError, 409, "already in use by container", lambda: client.containers.create(
        "busybox", "true", name="box"))
    box.start()
    expect(APIError, 400, "tall", lambda: box.resize(height="tall", width=1))
    expect(APIError, 409, "cannot remove", lambda: box.remove())
    expect(NotFound, 404, "No such exec", lambda: client.api.exec_inspect("0" * 64))
    box.remove(force=True)


def images(client):
    """Images by name, tag and id, saved names and removed ones."""
    busybox = client.images.get("busybox")
    assert busybox.tags == ["busybox:latest"], busybox.tags
    assert busybox.tag("shop/box", "2")
    assert client.images.get("shop/box:2").id == busybox.id
    assert {one.id for one in client.images.list()} >= {busybox.id}
    assert busybox.history()
    client.images.remove("shop/box:2")
    expect(ImageNotFound, 404, "No such image: shop/box:2", lambda: client.images.get("shop/box:2"))


def builds(client):
    """A directory becomes an image, a mistake an error before anything is done."""
    with tempfile.TemporaryDirectory() as folder:
        dockerfile = pathlib.Path(folder, "Dockerfile")
        dockerfile.write_text(
            "FROM busybox AS made\nARG WHO\nRUN echo hello $WHO > /said\n"
            "FROM busybox\nCOPY --from=made /said /said\nCOPY own /own\nCMD cat /said /own\n")
        pathlib.Path(folder, "own").write_text("own\n")
        pathlib.Path(folder, "left-out").write_text("x" * 1000)
        pathlib.Path(folder, ".dockerignore").write_text("left-out\n")
        image, told = client.images.build(
            path=folder, tag="built:1", rm=True, forcerm=True, buildargs={"WHO": "you"})
        assert image.tags == ["built:1"], image.tags
        assert any("Step 2/7 : ARG WHO" in line.get("stream", "") for line in told)
        ran = client.containers.run("built:1", remove=True, network_mode="none")
        assert ran == b"hello you\nown\n", ran

        again, told = client.images.build(path=folder, buildargs={"WHO": "you"})
        assert again.id == image.id
        assert not any("Running in" in line.get("stream", "") for line in told)

        dockerfile.write_text("FROM busybox\nRUN exit 5\n")
        try:
            client.images.build(path=folder, forcerm=True)
        except BuildError as raised:
            assert "returned a non-zero code: 5" in raised.msg, raised.msg
        else:
            raise AssertionError("a command that fails was no error")
        dockerfile.write_text("FROM busybox\nRUNN true\n")
        words = "unknown instruction: RUNN (did you mean RUN?)"
        expect(APIError, 400, words, lambda: client.images.build(path=folder))
    client.images.remove("built:1")
    client.api.prune_builds()


def main():
    client = docker.from_env(version="auto", timeout=30)
    assert client.ping()
    assert client.version()["ApiVersion"] and client.info()["OSType"] == "linux"
    for story in (lives, streams, one_shot, errors, images, builds):
        story(client)
    assert client.containers.list(all=True) == []
    client.close()
    print("all well with docker-py", docker.__version__)


sys.exit(main())
