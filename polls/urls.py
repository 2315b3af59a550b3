from django.urls import path

from polls import views

app_name = "polls"

urlpatterns = [
    path("", views.index, name="index"),
    path("polls/new/", views.create, name="create"),
    path("polls/choice-row/", views.choice_row, name="choice-row"),
    path("polls/<int:pk>/", views.detail, name="detail"),
    path("polls/<int:pk>/vote/", views.vote, name="vote"),
    path("polls/<int:pk>/results/", views.results, name="results"),
    path("polls/<int:pk>/edit/", views.edit, name="edit"),
    path("polls/<int:pk>/delete/", views.delete, name="delete"),
]
