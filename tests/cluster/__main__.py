"""`python -m tests.cluster up | down | status | images [NAME …] | install`: a Kubernetes for the tests, on any machine.

up      SLIPWAY_KUBECONFIG's cluster when set; else kind, when a Docker engine answers; else processes of this machine,
        which needs root
down    ends and removes what up started
status  what runs
images  builds Slipway's images and loads them into the cluster; their references go to .cluster/images.json
install installs the chart with them
"""

from __future__ import annotations

import argparse
import sys

from tests.cluster import commands, images, install
from tests.cluster.errors import ClusterError
from tests.cluster.state import Mode, current_mode


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.cluster", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", choices=("up", "down", "status", "images", "install"))
    parser.add_argument("names", nargs="*", help="images only: which (default: all)")
    options = parser.parse_args(arguments)
    try:
        if options.command == "status":
            return commands.status()
        match options.command:
            case "up":
                commands.up()
            case "down":
                commands.down()
            case "install":
                install.install()
            case "images":
                if current_mode() is Mode.GIVEN:
                    print("  the cluster is yours: its nodes pull the images that the chart's values name", file=sys.stderr)
                else:
                    images.ensure(options.names or list(images.IMAGES))
    except ClusterError as error:
        print(f"  ✗ {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
