# The cluster app in Flask, on port 80, now and at every boot. CLUSTER (1 or 2) is set above.
set -eu
server=/home/ubuntu/flask-server
mkdir -p $server
cat > $server/app.py <<'END_OF_APP'
import os
import time
import urllib.request

from flask import Flask, abort

METADATA = os.environ.get("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://169.254.169.254")


def ask(method, path, headers):
    request = urllib.request.Request(METADATA + path, method=method, headers=headers)
    with urllib.request.urlopen(request, timeout=1) as answer:
        return answer.read().decode()


def find_instance_id():
    for _ in range(10):
        try:
            token = ask("PUT", "/latest/api/token", {"X-aws-ec2-metadata-token-ttl-seconds": "60"})
            return ask("GET", "/latest/meta-data/instance-id", {"X-aws-ec2-metadata-token": token})
        except OSError as error:
            print("metadata service:", error, flush=True)
            time.sleep(0.5)
    return "unknown"


AWS_INSTANCE_ID = find_instance_id()
MARKER = "/cluster" + os.environ["CLUSTER"]
app = Flask(__name__)
app.url_map.merge_slashes = False


@app.get("/")
def health():
    return "Healthy!"


@app.get("/<path:path>")
def cluster(path):
    if MARKER not in "/" + path:
        abort(404)
    return f"Instance {AWS_INSTANCE_ID} is responding now!"


@app.errorhandler(404)
@app.errorhandler(405)
def refuse(error):
    return f"<h1>{error.name}</h1>\n", error.code


if __name__ == "__main__":
    app.run(host="0.0.0.0", port=int(os.environ.get("PORT", "80")))
END_OF_APP
if [ -d /usr/lib/python3/dist-packages/flask ]; then
  echo "flask: Debian's python3-flask, seen from a virtual environment with --system-site-packages"
  /usr/bin/python3 -m venv --system-site-packages --without-pip $server/venv
else
  echo "flask: from PyPI, by pip in a virtual environment"
  export DEBIAN_FRONTEND=noninteractive
  /usr/bin/python3 -c 'import ensurepip' 2> /dev/null ||
    { apt-get update -q && apt-get install -qy python3-venv; }
  /usr/bin/python3 -m venv $server/venv
  $server/venv/bin/pip install --quiet flask ||
    { echo "flask: PyPI cannot be reached, and the image has no python3-flask"; exit 1; }
fi
chown -R ubuntu:ubuntu $server || echo "flask: $server stays root's"
boot=/var/lib/cloud/scripts/per-boot
[ -d $boot ] || mkdir -p $boot
echo "#!/bin/bash
export CLUSTER=$CLUSTER
cd $server
setsid nohup venv/bin/python app.py < /dev/null >> /var/log/flask-server.log 2>&1 &" > $boot/flask-server
chmod 755 $boot/flask-server
$boot/flask-server
