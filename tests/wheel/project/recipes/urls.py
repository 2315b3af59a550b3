from django.urls import path

from recipes import views

urlpatterns = [
    path("<uuid:pk>/", views.show, name="recipe"),
    path("<uuid:pk>/rename/", views.rename, name="rename"),
]
