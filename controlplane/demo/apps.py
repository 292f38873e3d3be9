from django.apps import AppConfig


class DemoConfig(AppConfig):
    name = "controlplane.demo"
    verbose_name = "Demo"
