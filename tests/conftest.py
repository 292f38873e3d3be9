pytest_plugins = [
    "tests.plugins.cloudflare",
    "tests.plugins.instant",
    "tests.plugins.turso",
    "tests.plugins.telemetry",
    "tests.plugins.shops",
    "tests.plugins.stores",
    "tests.plugins.browser",
    "tests.plugins.mail",
    "tests.plugins.runtimes",
]
