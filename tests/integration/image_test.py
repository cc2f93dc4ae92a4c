"""`weir image import`: an instance of a root file system that one brings along.

Usage: image_test.py [--rootless]
"""
import argparse
import io
import sys
import tarfile
import unittest

import templates
from weir_harness import Balancer, WeirTest

options = argparse.ArgumentParser()
options.add_argument("--rootless", action="store_true")
OPTIONS, REST = options.parse_known_args()

BUSYBOX = "/bin/busybox"  # of busybox-static: a whole system in one file
IMAGE = "ami-0fedcba9876543210"
SERVE = "#!/bin/sh\nhttpd -p 80 -h /srv\n"


def write_root(path):
    """A tar archive of a small root file system that is nothing like this machine's."""
    with tarfile.open(path, "w") as tar:
        for folder in ("bin", "etc", "root", "srv", "tmp", "usr", "var", "var/log"):
            member = tarfile.TarInfo(folder)
            member.type, member.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(member)
        tar.add(BUSYBOX, "bin/busybox")
        for name in ("sh", "cat", "httpd", "ls"):
            member = tarfile.TarInfo(f"bin/{name}")
            member.type, member.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(member)
        for name, text in (("etc/passwd", "root:x:0:0:root:/root:/bin/sh\n"),
                           ("etc/group", "root:x:0:\n"),
                           ("srv/index.html", "from a small image\n")):
            member = tarfile.TarInfo(name)
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text.encode()))


class Images(WeirTest):
    rootless = OPTIONS.rootless

    def up(self, image, **options):
        template = self.weir.home / "site.yaml"
        template.write_text(templates.site(SERVE, port=18300, image=image))
        return self.weir.run("up", template, "--output", "json", **options)

    def test_an_instance_of_an_imported_image_serves(self):
        archive = self.weir.home / "root.tar"
        write_root(archive)
        archive.chmod(0o644)
        refused = self.up(IMAGE, check=False)
        self.assertEqual(refused.returncode, 1)
        self.assertIn(IMAGE, refused.stderr)

        template = self.weir.home / "first.yaml"
        template.write_text(templates.site(templates.ECHO, port=18301, name="first"))
        self.weir.up(template)  # a daemon that stays
        self.weir.run("image", "import", IMAGE, archive)
        self.assertIn(IMAGE, self.weir.run("image", "list").stdout)

        site = self.weir.home / "site.yaml"
        result = self.weir.up(site)
        self.assertEqual(result["targets"], {"healthy": 1, "total": 1})
        self.assertEqual(Balancer(result).get("/"), (200, "from a small image\n"))
        id_ = next(i["id"] for i in self.weir.instances().values() if i["image_id"] == IMAGE)
        self.assertEqual(self.weir.exec(id_, "cat", "/srv/index.html").stdout,
                         "from a small image\n")
        self.assertNotIn("python3", self.weir.exec(id_, "ls", "/bin").stdout)
        self.weir.run("down", "--all")

    def test_what_is_no_archive_is_refused(self):
        template = self.weir.home / "first.yaml"
        template.write_text(templates.site(templates.ECHO, port=18301, name="first"))
        self.weir.up(template)
        archive = self.weir.home / "bad.tar"
        archive.write_bytes(b"no archive" * 1000)
        archive.chmod(0o644)
        done = self.weir.run("image", "import", "ami-0fedcba9876543211", archive, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertTrue(done.stderr)
        self.assertNotIn("ami-0fedcba9876543211", self.weir.run("image", "list").stdout)
        self.weir.run("down", "--all")


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *REST], verbosity=2)
