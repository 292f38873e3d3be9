"""How the admin looks: django-unfold's settings. The same everywhere."""

from django.templatetags.static import static

UNFOLD = {
    "SITE_TITLE": "Storefront",
    "SITE_HEADER": "Storefront",
    "SITE_SYMBOL": "storefront",
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("tenants/icon.svg")},
    ],
    "SITE_URL": None,
    "SHOW_VIEW_ON_SITE": False,
    "BORDER_RADIUS": "8px",
    "STYLES": [
        lambda request: static("tenants/admin.css"),
        lambda request: static("tenants/moderation.css"),
    ],
    "DASHBOARD_CALLBACK": "tenants.admin.home.dashboard",
    "ACCOUNT": {"navigation": "tenants.admin.home.account"},
    "SIDEBAR": {"navigation": "tenants.admin.home.navigation", "show_search": True, "command_search": True},
    "GLOBAL_CALLBACK": "tenants.switcher.context",
    "COLORS": {
        # The platform's green, the storefront's default accent; 600 carries white text at 5.9:1.
        "primary": {
            "50": "#eff8f4", "100": "#d8eee4", "200": "#b4ddcc", "300": "#83c4ac", "400": "#52a687", "500": "#338a6c",
            "600": "#256f57", "700": "#1f5947", "800": "#1b473a", "900": "#173b31", "950": "#0b211c",
        },
    },
}  # fmt: skip
