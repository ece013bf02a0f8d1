"""Runs schemathesis against a bank and a PSP, each a real process: run.py SPECIE SCHEMATHESIS [SEED].

What is served is what is described: no failure of a server, and no answer that the description does not know.
"""

import json
import os
import random
import subprocess
import sys
import tempfile
import tomllib
import urllib.request
from pathlib import Path

import clients

HERE = Path(__file__).resolve().parent
EXAMPLES = 20
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,negative_data_rejection"


# What each client is let in to: where it is not, everything is refused alike and nothing is tested.
SIGNED = ("/v1/reserve", "/v1/account")


def main(specie, schemathesis, seed):
    print(f"seed {seed}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        town = Town(specie, Path(folder))
        try:
            town.open()
            bank = {"SPECIE_CLIENT_NAME": "psp-one", "SPECIE_CLIENT_SEED": town.psp_seed}
            psp = {"SPECIE_CLIENT_SEED": town.device_seed.hex()}
            runs = [(town.bank, bank), (town.psp, psp)]
            let_in(town.bank + SIGNED[0], clients.Psp("psp-one", bytes.fromhex(town.psp_seed)))
            let_in(town.psp + SIGNED[1], clients.Device(town.device_seed))
            failed = [url for url, client in runs if fuzz(schemathesis, url, client, seed, folder)]
            holds = town.specie("bank", "status", "bank")["conservation"]["holds"]
        finally:
            town.close()
    if failed or not holds:
        sys.exit(f"failed with seed {seed}: {failed or 'the books do not hold'}")


def let_in(url, client):
    target = url.removeprefix("http://").partition("/")[2]
    with urllib.request.urlopen(urllib.request.Request(url, headers=client.headers("GET", f"/{target}", "", b""))) as answer:
        assert answer.status == 200, f"{url}: {answer.status}"


def fuzz(schemathesis, url, client, seed, folder):
    command = [
        schemathesis, "run", f"{url}/openapi.json", "--url", url, "--seed", str(seed), "--workers", "1",
        "--phases", "coverage,fuzzing", "--max-examples", str(EXAMPLES), "--checks", CHECKS, "--continue-on-failure",
        "--suppress-health-check", "all", "--no-shrink", "--warnings", "off",
    ]
    environment = os.environ | client | {"SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": str(HERE), "NO_COLOR": "1"}
    return subprocess.run(command, env=environment, cwd=folder).returncode


class Town:
    """A bank, a PSP, and a device that is enrolled with it."""

    def __init__(self, program, folder):
        self.program, self.folder, self.running = program, folder, []

    def specie(self, *words):
        done = subprocess.run([self.program, "--json", *words], cwd=self.folder, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"specie {' '.join(words)}: {done.stderr}")
        return json.loads(done.stdout)

    def serve(self, *words):
        server = subprocess.Popen(
            [self.program, "--json", *words], cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self.running.append(server)
        return json.loads(server.stdout.readline())["listening"]

    def open(self):
        root = self.specie("bank", "init", "bank", "--issuer", "central-bank", "--currency", "XTS")["root_key"]
        self.bank = self.serve("bank", "serve", "bank", "--listen", "127.0.0.1:0")
        self.specie("maker", "init", "maker.toml", "--name", "chipmaker")
        key = self.specie("psp", "init", "psp", "--name", "psp-one", "--bank", self.bank, "--root", root)["public_key"]
        self.specie("psp", "trust", "psp", "--maker", "maker.toml")
        self.specie("bank", "register", "bank", "psp-one", "--key", key)
        self.specie("bank", "fund", "bank", "psp-one", "10000.00")
        self.specie("psp", "reserve", "psp", "10000.00", "--reference", "first")
        self.psp = self.serve("psp", "serve", "psp", "--listen", "127.0.0.1:0")
        self.psp_seed = (self.folder / "psp" / "psp.key").read_text().strip()
        self.enrol()

    def enrol(self):
        """Enrols an element that is not ours, with the maker's key."""
        document = ["--document", "passport, file 1", "--by", "counter"]
        self.specie("psp", "customer", "add", "psp", "alice", *document)
        self.specie("psp", "customer", "credit", "psp", "alice", "1000.00")
        code = self.specie("psp", "customer", "claim", "psp", "alice")["code"]
        maker = tomllib.loads((self.folder / "maker.toml").read_text())
        self.device_seed = bytes(range(32))
        device = clients.Device(self.device_seed)
        nonce = bytes.fromhex(self.post("/v1/enrolments/nonce", {})["nonce"])
        seed = bytes.fromhex(maker["secret_seed"])
        message = device.enrolment(maker["name"], seed, maker["series"], nonce).hex()
        self.post("/v1/enrolments", {"customer": "alice", "claim_code": code, "enrolment": message})

    def post(self, path, body):
        headers = {"content-type": "application/json", "idempotency-key": f"{random.randbytes(16).hex()}"}
        request = urllib.request.Request(self.psp + path, json.dumps(body).encode(), headers)
        try:
            with urllib.request.urlopen(request) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            sys.exit(f"{path}: {error.read().decode()}")

    def close(self):
        for server in reversed(self.running):
            server.kill()
            server.wait()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else random.randrange(2**32))
