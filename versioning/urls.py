"""Addresses of the console. Its templates and tests go by their names."""

from django.urls import path, register_converter

from versioning.converters import HashConverter
from versioning.views import (
    branches,
    compare,
    deciding,
    history,
    landing,
    live,
    mending,
    merged,
    merges,
    migrating,
    receipts,
    rows,
    searching,
    tags,
    unsent,
    working,
)

app_name = "versioning"

register_converter(HashConverter, "hash")

urlpatterns = [
    path("branches/", branches.branch_list, name="branches"),
    path("branches/new/", branches.branch_create, name="branch-create"),
    path("branches/switch/", branches.branch_switch, name="branch-switch"),
    path("branches/rename/", branches.branch_rename, name="branch-rename"),
    path("branches/delete/", branches.branch_delete, name="branch-delete"),
    path("branches/restore/", branches.branch_restore, name="branch-restore"),
    path("live/", live.news, name="live"),
    path("log/", history.log, name="log"),
    path("commits/<hash:hash>/", history.commit, name="commit"),
    path("tags/", tags.tag_list, name="tags"),
    path("tags/new/", tags.tag_create, name="tag-create"),
    path("tags/delete/", tags.tag_delete, name="tag-delete"),
    path("search/", searching.rows, name="search"),
    path("compare/", compare.compare, name="compare"),
    path("compare/rows/", compare.compare_table, name="compare-table"),
    path("rows/history/", rows.history, name="row-history"),
    *working.urlpatterns,
    path("compare/value/", compare.value, name="compare-value"),
    path("compare/export/", compare.export, name="compare-export"),
    *merges.urlpatterns,
    *merged.urlpatterns,
    *landing.urlpatterns,
    *deciding.urlpatterns,
    *mending.urlpatterns,
    *migrating.urlpatterns,
    path("unsent/", unsent.page, name="unsent"),
    path("receipts/<uuid:token>/", receipts.receipt, name="receipt"),
    path("how-this-works/", receipts.how_this_works, name="how"),
]
