from django.contrib import admin
from django.contrib.auth import views as auth
from django.urls import include, path

from config.health import healthz

urlpatterns = [
    path("", include("polls.urls")),
    path("", include("versioning.urls")),
    path("accounts/login/", auth.LoginView.as_view(), name="login"),
    path("accounts/logout/", auth.LogoutView.as_view(), name="logout"),
    path(
        "accounts/password/",
        auth.PasswordChangeView.as_view(),
        name="password_change",
    ),
    path(
        "accounts/password/done/",
        auth.PasswordChangeDoneView.as_view(),
        name="password_change_done",
    ),
    path("admin/", admin.site.urls),  # people, their groups and permissions
    path("healthz", healthz, name="healthz"),
]

handler400 = "versioning.views.errors.bad_request"
handler403 = "versioning.views.errors.permission_denied"
handler404 = "versioning.views.errors.page_not_found"
handler500 = "versioning.views.errors.server_error"
