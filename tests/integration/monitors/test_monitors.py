"""ModelMonitors on a real apiserver, with the chart's rights and policies: their CronJobs, their runs, and what is concluded."""

from __future__ import annotations

import pytest

from tests.integration.monitors.lab import PLATFORM, Lab
from tests.integration.samples import monitor
from tests.kube import Refusal
from tests.wait import until


def test_a_cron_job_comes_is_put_back_and_goes(lab: Lab) -> None:
    with lab.operator():
        lab.deploy()
        made = lab.watch()
        lab.await_condition("Ready", "Scheduled")
        kube, name = lab.team.kube, made["metadata"]["name"]
        assert lab.monitor()["status"]["cronJob"] == f"{PLATFORM}/{name}"
        pod = made["spec"]["jobTemplate"]["spec"]["template"]["spec"]
        assert pod["containers"][0]["image"] == "registry.example/slipway-monitor:test"
        kube.patch("CronJob", PLATFORM, name, {"spec": {"schedule": "* * * * *"}})
        until(lambda: lab.await_cron_job()["spec"]["schedule"] == made["spec"]["schedule"], 30, "the schedule to be put back")
        kube.patch("CronJob", PLATFORM, name, {"metadata": {"labels": {"app.kubernetes.io/managed-by": None}}})
        until(lambda: "app.kubernetes.io/managed-by" in lab.await_cron_job()["metadata"]["labels"], 30, "the label to come back")
        kube.delete("CronJob", PLATFORM, name)
        until(lambda: [job for job in lab.cron_jobs() if job["metadata"]["uid"] != made["metadata"]["uid"]], 30, "another CronJob")
        until(lambda: len(set(lab.events("ChildRepaired"))) == 2, 30, "the Events")
        kube.delete("ModelMonitor", lab.team.namespace, "churn-quality")
        until(lambda: not lab.cron_jobs(), 30, "the CronJob to go")


def test_what_went_while_nobody_watched_is_cleaned_up(lab: Lab) -> None:
    with lab.operator():
        lab.deploy()
        lab.watch()
        before = lab.watch("another")
        lab.await_condition("Ready", "Scheduled", name="another")
    for name in ("churn-quality", "another"):
        lab.team.kube.delete("ModelMonitor", lab.team.namespace, name)
    lab.team.apply("alice", monitor(lab.team.namespace, "another"))
    with lab.operator("slipway-operator-1"):
        until(lambda: not lab.cron_jobs(), 30, "the CronJob of a monitor that is gone to go")

        def anew() -> bool:
            return [job["metadata"]["name"] != before["metadata"]["name"] for job in lab.cron_jobs("another")] == [True]

        until(anew, 30, "the new monitor's CronJob, and not the old one's")


def test_a_run_is_judged_and_told_once(lab: Lab) -> None:
    with lab.operator() as operator:
        lab.deploy()
        lab.watch()
        lab.await_condition("Healthy", "NotRunYet")
        lab.report("Critical", "run-1")
        lab.await_condition("Healthy", "CheckCritical")
        status = lab.monitor()["status"]
        assert (status["verdict"], status["lastRun"], status["run"]["id"]) == ("Critical", "2026-11-23T12:00:00.25Z", "run-1")
        theirs = lab.await_condition("Healthy", "CheckCritical", "ModelDeployment", "churn")
        assert (theirs["status"], theirs["message"]) == ("False", "churn-quality: psi of age is 0.31 (Critical)")
        lab.report("Critical", "run-2", "2026-11-23T13:00:00Z")
        until(lambda: lab.monitor()["status"]["lastRun"] == "2026-11-23T13:00:00Z", 30, "the second run to be seen")
        lab.report("Healthy", "run-3", "2026-11-23T14:00:00Z")
        lab.await_condition("Healthy", "AllChecksHealthy", "ModelDeployment", "churn")
        lab.team.await_entry("Judged", "ModelMonitor", "churn-quality")
        judged = [entry for entry in lab.team.entries("ModelMonitor", "churn-quality") if entry.transition == "Judged"]
        assert [(entry.reason, entry.actors, entry.details["id"]) for entry in judged] == [
            ("CheckCritical", (), "run-1"),
            ("AllChecksHealthy", (), "run-3"),
        ]
        assert judged[0].details["worst"]["column"] == "age"
        until(lambda: lab.events("MonitorHealthy"), 30, "the Event")
        assert len(lab.events("MonitorCritical")) == len(lab.events("MonitorHealthy")) == 1
        managers = {entry["manager"] for entry in lab.monitor()["metadata"]["managedFields"] if "run" in str(entry.get("fieldsV1"))}
        assert "slipway-monitor" in managers
        series = operator.metrics()
        named = f'deployment="churn",importance="",model="churn",name="churn-quality",namespace="{lab.team.namespace}",team=""'
        assert series[f'slipway_monitor_verdict{{{named},verdict="Healthy"}}'] == 1
        assert series[f'slipway_monitor_verdict{{{named},verdict="Critical"}}'] == 0
        assert any(name.startswith("slipway_monitor_check{") and value == 0.31 for name, value in series.items())
        lab.team.kube.delete("ModelMonitor", lab.team.namespace, "churn-quality")
        until(lambda: not any(name.startswith("slipway_monitor_") for name in operator.metrics() if "{" in name), 30, "no series of it")


def test_who_asked_for_a_monitor_and_who_changed_it_is_known(lab: Lab) -> None:
    with lab.operator():
        lab.deploy()
        lab.watch(drift={"warning": 0.1, "critical": 0.2})
        lab.await_condition("Ready", "Scheduled")
        lab.team.apply("bob", monitor(lab.team.namespace, drift={"warning": 0.5, "critical": 0.9}))
        lab.team.await_entry("Changed", "ModelMonitor", "churn-quality")
        entries = lab.team.entries("ModelMonitor", "churn-quality")
    told = [(entry.transition, entry.actors, entry.details["spec"]["drift"]["critical"]) for entry in entries]
    assert told == [("Registered", ("alice",), 0.2), ("Changed", ("bob",), 0.9)]


def test_a_run_may_not_write_what_is_concluded(lab: Lab) -> None:
    with lab.operator():
        lab.deploy()
        lab.watch()
        lab.await_condition("Ready", "Scheduled")
        for forged in ({"verdict": "Healthy"}, {"onDemand": "none"}):
            with pytest.raises(Refusal, match="may not write the status"):
                lab.write_status(forged)


def test_a_request_is_one_job(lab: Lab) -> None:
    with lab.operator():
        lab.deploy()
        cron_job = lab.watch()
        lab.await_condition("Ready", "Scheduled")
        request(lab, "2026-11-23T12:00:00Z")
        job = until(lambda: lab.monitor()["status"].get("onDemand"), 30, "the Job to be told")
        until(lambda: lab.events("RunStarted") == [f"Job {job} runs as asked"], 30, "the Event")
        request(lab, "2026-11-23T12:00:01Z")
    with lab.operator("slipway-operator-1"):  # looks at everything anew, and the first run has not ended
        lab.await_condition("Ready", "Scheduled")
        assert jobs(lab) == [job]
        finish(lab, job)
        until(lambda: len(jobs(lab)) == 2, 60, "the second run")
        lab.team.kube.delete("ModelMonitor", lab.team.namespace, "churn-quality")
        until(lambda: lab.team.kube.get("CronJob", PLATFORM, cron_job["metadata"]["name"]) is None, 30, "the CronJob to go")
        until(lambda: not jobs(lab), 60, "its Jobs to go with it")


def test_a_request_whose_run_fails_is_told(lab: Lab) -> None:
    with lab.operator():
        lab.deploy()
        lab.watch()
        lab.await_condition("Ready", "Scheduled")
        lab.report("Healthy", "run-1", "2026-11-23T12:00:00Z")
        lab.await_condition("Healthy", "AllChecksHealthy")
        request(lab, "2026-11-23T12:00:00Z")
        job = until(lambda: lab.monitor()["status"].get("onDemand"), 30, "the Job to be told")
        lab.team.kube.patch("Job", PLATFORM, job, {"spec": {"activeDeadlineSeconds": 1}})
        failed = lab.await_condition("Healthy", "RunsFailed")
        assert (failed["status"], lab.monitor()["status"]["verdict"]) == ("Unknown", "Error")
        assert f"(DeadlineExceeded): the log of Job {job} in namespace {PLATFORM} says why" in failed["message"]
        lab.report("Healthy", "run-2", "2036-11-23T12:00:00Z")
        lab.await_condition("Healthy", "AllChecksHealthy")


def request(lab: Lab, at: str) -> None:
    change = {"metadata": {"annotations": {"slipway.dev/run-requested": at}}}
    lab.team.kube.patch("ModelMonitor", lab.team.namespace, "churn-quality", change)


def jobs(lab: Lab) -> list[str]:
    found = lab.team.kube.list("Job", PLATFORM, labelSelector=f"slipway.dev/monitor-namespace={lab.team.namespace}")
    return [job["metadata"]["name"] for job in found]


def finish(lab: Lab, name: str) -> None:
    """Its pod, which no node runs, has ended well."""

    def pods() -> list[str]:
        found = lab.team.kube.list("Pod", PLATFORM, labelSelector=f"batch.kubernetes.io/job-name={name}")
        return [pod["metadata"]["name"] for pod in found]

    (pod,) = until(pods, 60, "the Job's pod")
    lab.team.kube.patch("Pod", PLATFORM, pod, {"status": {"phase": "Succeeded"}}, "status")
    until(lambda: (lab.team.kube.get("Job", PLATFORM, name) or {})["status"].get("completionTime"), 60, "the Job to be complete")


def test_without_a_deployment_nothing_runs(lab: Lab) -> None:
    with lab.operator():
        lab.team.apply("alice", monitor(lab.team.namespace))
        lab.await_condition("Stalled", "DeploymentMissing")
        assert not lab.cron_jobs()
        lab.deploy()
        lab.await_condition("Ready", "Scheduled")
        lab.team.kube.delete("ModelDeployment", lab.team.namespace, "churn")
        lab.await_condition("Stalled", "DeploymentMissing")
        until(lambda: not lab.cron_jobs(), 30, "the CronJob to go")


def test_a_schedule_that_is_none_is_told(lab: Lab) -> None:
    with lab.operator():
        lab.deploy()
        lab.team.apply("alice", monitor(lab.team.namespace, schedule="99 * * * *"))
        assert "spec.schedule" in lab.await_condition("Stalled", "ApiRefused")["message"]
