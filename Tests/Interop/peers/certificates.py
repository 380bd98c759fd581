"""A certificate authority of the test's own, by openssl."""

import subprocess
from pathlib import Path


def _openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, text=True, timeout=30)


class Authority:
    """`file` is its certificate, for `--tls-ca`."""

    def __init__(self, folder, name="Authority of the test"):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.file, self.key = self.folder / "ca.pem", self.folder / "ca.key"
        _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", self.key, "-out", self.file,
                 "-days", "30", "-subj", f"/CN={name}", "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=keyCertSign")

    def issue(self, name, *alternatives):
        """(certificate, key) files for a server; `alternatives` as openssl writes them: `DNS:pbx.test`, `IP:10.77.0.2`."""
        stem = self.folder / name
        request, certificate, key, extensions = (stem.with_suffix(end) for end in (".csr", ".pem", ".key", ".ext"))
        extensions.write_text("extendedKeyUsage=serverAuth,clientAuth\n" + (f"subjectAltName={','.join(alternatives)}\n" if alternatives else ""))
        _openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", request, "-subj", f"/CN={name}")
        _openssl("x509", "-req", "-in", request, "-CA", self.file, "-CAkey", self.key, "-CAcreateserial", "-days", "20", "-extfile", extensions,
                 "-out", certificate)
        return certificate, key
