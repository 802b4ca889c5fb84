"""Records identities.yaml anew: after a release that changed names, selectors or ports on purpose, and said so."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import rendering  # noqa: E402
import test_upgrade  # noqa: E402
import yaml  # noqa: E402

text = yaml.safe_dump({path.name: test_upgrade.identities(rendering.situation(path)) for path in rendering.SITUATIONS})
test_upgrade.IDENTITIES.write_text(text)
