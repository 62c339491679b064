"""The commands, put together."""

from __future__ import annotations

import typer

from slipway.cli.audit.listing import audit
from slipway.cli.audit.proof import check, prove, verify
from slipway.cli.export import export
from slipway.cli.governance.decide import approve, override, reject
from slipway.cli.governance.diff import diff
from slipway.cli.governance.pending import pending
from slipway.cli.governance.rbac.check import check as check_rbac
from slipway.cli.monitoring.listing import list_monitors
from slipway.cli.monitoring.report import report as monitor_report
from slipway.cli.monitoring.run import run
from slipway.cli.monitoring.show import show
from slipway.cli.predict import predict
from slipway.cli.predictions.actuals import push as push_actuals
from slipway.cli.predictions.erase import erase
from slipway.cli.predictions.table import logs_table
from slipway.cli.push import push
from slipway.cli.records.report import report
from slipway.cli.records.trace import trace
from slipway.cli.status import status

app = typer.Typer(
    help="Bring models to production, see how they are, and ask them.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
for command in (push, status, predict, pending, diff, approve, reject, override, trace, report, export, logs_table, erase):
    app.command()(command)

truths = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="What turned out to be true.")
truths.command("push")(push_actuals)
truths.callback()(lambda: None)
app.add_typer(truths, name="actuals")

monitoring = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="What monitors found.")
monitoring.command("list")(list_monitors)
monitoring.command()(show)
monitoring.command()(run)
monitoring.command("report")(monitor_report)
app.add_typer(monitoring, name="monitor")

auditing = typer.Typer(invoke_without_command=True, rich_markup_mode=None)
auditing.callback()(audit)
auditing.command()(verify)
auditing.command()(prove)
auditing.command()(check)
app.add_typer(auditing, name="audit")

rights = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Who may do what.")
rights.command("check")(check_rbac)
rights.callback()(lambda: None)
app.add_typer(rights, name="rbac")
