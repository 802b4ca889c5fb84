"""Runs every test_*.py beside it and closes with one line that counts each check, sub-tests included."""

import pathlib
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "helm" / "generate")]


class Count(unittest.TextTestResult):
    """Counts a sub-test as a check of its own."""

    passed = 0
    failed = 0
    of_this = 0

    def startTest(self, test):
        super().startTest(test)
        self.of_this = 0

    def addSubTest(self, test, subtest, error):
        super().addSubTest(test, subtest, error)
        self.of_this += 1
        self.failed += error is not None
        self.passed += error is None

    def addSuccess(self, test):
        super().addSuccess(test)
        self.passed += self.of_this == 0

    def addFailure(self, test, error):
        super().addFailure(test, error)
        self.failed += 1

    def addError(self, test, error):
        super().addError(test, error)
        self.failed += 1


if __name__ == "__main__":
    tests = unittest.defaultTestLoader.discover(str(HERE), "test_*.py")
    if len(sys.argv) > 1:
        tests = unittest.defaultTestLoader.loadTestsFromNames(sys.argv[1:])
    result = unittest.TextTestRunner(resultclass=Count, verbosity=1, stream=sys.stdout).run(tests)
    print(f"{result.passed} passed, {result.failed} failed")
    sys.exit(result.failed > 0)
