#!/usr/bin/env python3
"""Whole-process figures of Sidetone beside baresip, over a veth pair between two network namespaces.

Needs root, `ip` and (for the comparison) Debian's `baresip-core`. Prints tables and asserts nothing.
The program is $SIDETONE_BINARY, or .build/release/sidetone. See --help for what can be left out.
"""

import argparse
import os
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lab import figures, machine, products  # noqa: E402


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=20, help="calls for each set-up figure (default 20)")
    parser.add_argument("--seconds", type=float, default=20, help="how long CPU time is counted (default 20)")
    parser.add_argument("--starts", type=int, default=10, help="program starts (default 10)")
    parser.add_argument("--only", choices=["start", "setup", "cpu", "bridge"], action="append", help="only these; repeatable")
    parser.add_argument("--no-peer", action="store_true", help="Sidetone alone")
    parser.add_argument("--timeline", action="store_true", help="print what passed on the wire in the first call of each kind")
    options = parser.parse_args()
    options.only = options.only or ["start", "setup", "cpu", "bridge"]

    binary = os.path.abspath(os.environ.get("SIDETONE_BINARY", ".build/release/sidetone"))
    if not os.access(binary, os.X_OK):
        sys.exit(f"{binary} is not there: swift build -c release --product sidetone")
    if os.geteuid() != 0:
        sys.exit("network namespaces need root")

    print(figures.machine_line())
    with machine.Lab() as lab, tempfile.TemporaryDirectory(prefix="sidetone-bench-") as folder:
        kinds = [products.Sidetone(lab, folder, binary)]
        if not options.no_peer:
            if products.Baresip.installed():
                kinds.append(products.Baresip(lab, folder))
            else:
                print("baresip is not installed: Sidetone alone")
        try:
            if "start" in options.only:
                figures.starts(lab, kinds, options.starts)
            if "setup" in options.only:
                for mode in ("plain", "dtls"):
                    figures.setups(lab, kinds, mode, options.calls, options.timeline)
            if "cpu" in options.only:
                for mode, codec in (("dtls", "opus"), ("plain", "PCMU")):
                    figures.load(kinds, mode, codec, options.seconds)
            if "bridge" in options.only:
                for codecs in (("opus", "opus"), ("PCMU", "PCMU"), ("opus", "PCMU"), ("opus", "G722")):
                    figures.bridge(kinds[0], codecs, options.seconds)
        finally:
            for kind in kinds:
                kind.end()


if __name__ == "__main__":
    main()
