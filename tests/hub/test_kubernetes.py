"""The settings for a cluster, without one: pods of all profiles, memory, logins, labs."""

import asyncio
import functools
import os
import re
import shutil
import subprocess
import tomllib
from unittest import mock

import kubernetes_validate
import pytest
import yaml
from jupyterhub.app import JupyterHub
from jupyterhub.auth import Authenticator, NullAuthenticator
from kubespawner import KubeSpawner
from traitlets.config import Config

from authoring import record
from hub.sandbox import COURSE
from hub.spawner import BRANCH, hand_out

VALUES = COURSE / "hub" / "kubernetes" / "values.yaml"
KUBERNETES = "1.35"

# The keys of chart 4.4.2 that are used here, and what each takes. The chart refuses others, but
# says so only where it is installed: https://z2jh.jupyter.org/en/stable/resources/reference.html
NUMBER, SIZE = (int, float), r"\d+(\.\d+)?[KMGT]"
KEYS = {
    "hub": {"config": dict},
    "proxy": {"service": {"type": "ClusterIP|LoadBalancer|NodePort"}},
    "singleuser": {
        "image": {"name": str, "tag": str},
        "memory": {"guarantee": SIZE, "limit": SIZE},
        "cpu": {"guarantee": NUMBER, "limit": NUMBER},
        "extraEnv": dict,
        "storage": {"capacity": r"\d+(Mi|Gi|Ti)", "extraVolumes": list, "extraVolumeMounts": list},
        "lifecycleHooks": {"postStart": dict, "preStop": dict},
        "defaultUrl": str,
        "startTimeout": int,
        "profileList": list,
    },
    "prePuller": {"pullProfileListImages": bool},
    "scheduling": {"podPriority": {"enabled": bool}, "userPlaceholder": {"replicas": int}},
    "cull": {"enabled": bool, "timeout": int, "every": int},
}
# Where the chart puts them: the name of KubeSpawner's setting.
SETTINGS = {
    "memory.guarantee": "mem_guarantee",
    "memory.limit": "mem_limit",
    "cpu.guarantee": "cpu_guarantee",
    "cpu.limit": "cpu_limit",
    "extraEnv": "environment",
    "storage.capacity": "storage_capacity",
    "storage.extraVolumes": "volumes",
    "storage.extraVolumeMounts": "volume_mounts",
    "lifecycleHooks": "lifecycle_hooks",
    "defaultUrl": "default_url",
    "startTimeout": "start_timeout",
    "profileList": "profile_list",
}
SYSTEM_TOLERATIONS = {"hub.jupyter.org/dedicated", "hub.jupyter.org_dedicated"}


def values():
    return yaml.safe_load(VALUES.read_text(encoding="utf-8"))


def look_up(tree, path):
    for key in path.split("."):
        tree = tree[key]
    return tree


async def manifests(profile):
    """Return the pod and the home that a spawner would order, set up as the chart does it."""
    settings = values()["singleuser"]
    config = {name: look_up(settings, path) for path, name in SETTINGS.items()}
    config["image"] = "{name}:{tag}".format(**settings["image"])
    with mock.patch("kubespawner.spawner.load_config"):  # there is no cluster to connect to
        spawner = KubeSpawner(config=Config(KubeSpawner=config), _mock=True)
    spawner.user_options = {"profile": profile}
    await spawner.load_user_options()
    made = await spawner.get_pod_manifest(), spawner.get_pvc_manifest()
    return [spawner.api.api_client.sanitize_for_serialization(model) for model in made]


@functools.cache
def pod(profile):
    return asyncio.run(manifests(profile))[0]


def container(profile):
    return pod(profile)["spec"]["containers"][0]


PROFILES = {profile["slug"]: profile for profile in values()["singleuser"]["profileList"]}


def unknown(tree, known, path=""):
    """Yield each key that the chart doesn't know, and each value of a kind that it doesn't take."""
    for key, value in tree.items():
        expected = known.get(key)
        if isinstance(expected, dict) and isinstance(value, dict):
            yield from unknown(value, expected, f"{path}{key}.")
        elif isinstance(expected, str) and isinstance(value, str):
            if not re.fullmatch(expected, value):
                yield f"{path}{key}: {value!r}"
        elif not isinstance(expected, type | tuple) or not isinstance(value, expected):
            yield f"{path}{key}: {value!r}"


def test_the_chart_knows_every_key():
    assert list(unknown(values(), KEYS)) == []


def test_both_profiles_are_there_and_cpu_is_the_default():
    assert list(PROFILES) == ["cpu", "gpu"]
    assert [name for name, profile in PROFILES.items() if profile.get("default")] == ["cpu"]


@pytest.mark.parametrize("profile", PROFILES)
def test_a_profile_overrides_settings_that_exist(profile):
    settings = KubeSpawner.class_traits(config=True)
    assert set(PROFILES[profile].get("kubespawner_override", {})) <= set(settings)


@pytest.mark.parametrize("profile", PROFILES)
def test_a_cluster_would_take_the_pod(profile):
    kubernetes_validate.validate(pod(profile), KUBERNETES, strict=True)


def test_a_cluster_would_take_the_home():
    home = asyncio.run(manifests("cpu"))[1]
    kubernetes_validate.validate(home, KUBERNETES, strict=True)
    assert home["spec"]["resources"]["requests"]["storage"] == "1Gi"


@pytest.mark.parametrize("profile", PROFILES)
def test_the_image_is_this_version_of_the_course(profile):
    version = tomllib.loads((COURSE / "pyproject.toml").read_text())["project"]["version"]
    variant = {"cpu": "cpu", "gpu": "cuda"}[profile]
    assert container(profile)["image"].endswith(f"/deep-learning-labs:{version}-{variant}")


@pytest.mark.parametrize("profile", PROFILES)
def test_data_and_labs_are_there_and_cannot_be_changed(profile):
    (volume,) = pod(profile)["spec"]["volumes"]
    assert volume["persistentVolumeClaim"] == {"claimName": "course", "readOnly": True}
    (mount,) = container(profile)["volumeMounts"]
    assert (mount["name"], mount["readOnly"]) == (volume["name"], True)
    environment = {e["name"]: e.get("value") for e in container(profile)["env"]}
    assert environment["COURSE_DATA"] == f"{mount['mountPath']}/data"


def test_a_cluster_would_take_the_volume_that_all_servers_read():
    path = VALUES.with_name("volume.yaml")
    claim, filler = yaml.safe_load_all(path.read_text(encoding="utf-8"))
    for document in (claim, filler):
        kubernetes_validate.validate(document, KUBERNETES, strict=True)
    assert claim["metadata"]["name"] == "course"
    assert filler["spec"]["volumes"][0]["persistentVolumeClaim"]["claimName"] == "course"
    assert filler["spec"]["containers"][0]["image"] == container("cpu")["image"]


# Memory and cores, in bytes and as seen by the pod.


def measured():
    """Return the runs of which the table of labs in README is made."""
    return record.usual(record.read(COURSE))


def peaks():
    """Return the measured peak memory of each lab in bytes, the largest first."""
    return sorted((run.peak_bytes for run in measured()), reverse=True)


def server():
    """Return what a server without kernels has resident, in bytes: measured, in SIZING.md."""
    sizing = (COURSE / "hub" / "SIZING.md").read_text(encoding="utf-8")
    return float(re.search(r"no kernel \| ([\d.]+) GB \|", sizing)[1]) * 1e9


def test_each_lab_was_measured():
    assert len(peaks()) == len(list((COURSE / "labs").glob("*.ipynb")))


def test_the_memory_reserved_is_what_the_largest_lab_needs():
    needed = server() + peaks()[0]
    assert needed <= int(container("cpu")["resources"]["requests"]["memory"]) <= 1.1 * needed


def test_the_most_memory_is_what_two_labs_need():
    needed = server() + sum(peaks()[:2])
    assert needed <= int(container("cpu")["resources"]["limits"]["memory"]) <= 1.1 * needed


def test_a_gpu_server_has_no_less_of_anything():
    for kind in ("requests", "limits"):
        for what in ("memory", "cpu"):
            small, large = (
                float(container(name)["resources"][kind][what]) for name in ("cpu", "gpu")
            )
            assert large >= small


@pytest.mark.parametrize("profile", PROFILES)
def test_programs_start_as_many_threads_as_they_may_use_cores(profile):
    made = container(profile)
    environment = {e["name"]: e.get("value") for e in made["env"]}
    for name in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
        assert float(environment[name]) == float(made["resources"]["limits"]["cpu"])


def test_only_a_gpu_server_takes_a_gpu():
    assert "nvidia.com/gpu" not in container("cpu")["resources"]["limits"]
    assert container("gpu")["resources"]["limits"]["nvidia.com/gpu"] == "1"
    environment = {e["name"]: e.get("value") for e in container("gpu")["env"]}
    assert environment["TF_FORCE_GPU_ALLOW_GROWTH"] == "true"
    assert environment["KERAS_BACKEND"] == "tensorflow"


def test_a_gpu_server_may_run_where_other_servers_may_and_on_gpu_nodes():
    tolerated = {t["key"] for t in pod("gpu")["spec"]["tolerations"]}
    assert tolerated == SYSTEM_TOLERATIONS | {"nvidia.com/gpu"}


# Logging in.


def test_the_hub_knows_every_setting_of_its_own():
    classes = {"JupyterHub": JupyterHub, "Authenticator": Authenticator}
    for name, settings in values()["hub"]["config"].items():
        assert set(settings) <= set(classes[name].class_traits(config=True))


def test_nobody_can_log_in_before_a_deployment_says_who():
    config = values()["hub"]["config"]
    hub = JupyterHub(config=Config(config))
    assert hub.authenticator_class is NullAuthenticator
    authenticator = hub.authenticator_class(config=Config(config))
    assert not authenticator.allow_all
    form = {"username": "ada", "password": ""}
    assert asyncio.run(authenticator.get_authenticated_user(None, form)) is None


def test_the_hub_is_not_open_to_the_world():
    assert values()["proxy"]["service"]["type"] == "ClusterIP"


# How labs come into a home.


@pytest.fixture
def volume(tmp_path):
    """A folder in place of the volume, with the labs' repository, and a home beside it."""
    (tmp_path / "home").mkdir()
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "01.ipynb").write_text("first line\n\n\nlast line\n")
    hand_out(tmp_path / "source", tmp_path / "course" / "labs.git")
    return tmp_path


def start(volume, **environment):
    """Run the hook of a starting server, with a folder here instead of the cluster's volume."""
    (mount,) = container("cpu")["volumeMounts"]
    hook = container("cpu")["lifecycle"]["postStart"]["exec"]["command"]
    command = [word.replace(mount["mountPath"], f"{volume}/course") for word in hook]
    environment = os.environ | {"HOME": f"{volume}/home"} | environment
    return subprocess.run(
        command, cwd="/", env=environment, capture_output=True, text=True, check=False
    )


def test_labs_come_into_the_home_and_the_work_of_a_student_stays(volume):
    assert start(volume).returncode == 0
    mine = volume / "home" / "labs" / "01.ipynb"
    mine.write_text(mine.read_text().replace("last line", "my answer"))
    (volume / "source" / "01.ipynb").write_text("corrected line\n\n\nlast line\n")
    hand_out(volume / "source", volume / "course" / "labs.git")
    done = start(volume)
    assert mine.read_text() == "corrected line\n\n\nmy answer\n", done.stdout + done.stderr


def test_a_server_starts_where_there_are_no_labs(volume):
    shutil.rmtree(volume / "course")
    assert start(volume).returncode == 0


def test_the_hook_pulls_the_branch_that_is_handed_out():
    command = container("cpu")["lifecycle"]["postStart"]["exec"]["command"]
    assert f"labs.git {BRANCH} " in command[-1]


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a folder to somebody else")
def test_the_image_trusts_a_repository_of_somebody_else(volume):
    dockerfile = (COURSE / "hub" / "image" / "Dockerfile").read_text(encoding="utf-8")
    command = re.search(r"git config --system .+", dockerfile)[0]
    command = command.replace("/srv/course", f"{volume}/course")
    for path in [volume / "course", *(volume / "course").rglob("*")]:
        os.chown(path, 65534, 65534)
    system = {"GIT_CONFIG_SYSTEM": f"{volume}/gitconfig", "GIT_CONFIG_NOSYSTEM": ""}
    start(volume, **system)
    assert not (volume / "home" / "labs" / "01.ipynb").exists()
    subprocess.run(command.split(), env=os.environ | system, check=True)
    start(volume, **system)
    assert (volume / "home" / "labs" / "01.ipynb").exists()


def test_a_server_opens_on_a_lab_that_is_handed_out():
    assert (COURSE / values()["singleuser"]["defaultUrl"].removeprefix("/lab/tree/")).is_file()
