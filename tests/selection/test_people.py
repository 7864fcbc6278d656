"""On a schema that nobody has described: who is taken for people, and that no stranger comes with them."""

from __future__ import annotations

import io
import os
import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from datasette_program_export import Request, Settings, export, plan
from datasette_program_export.database.reflection import reflect
from datasette_program_export.errors import RequestError, SettingsError
from datasette_program_export.formats.description.coverage_text import coverage_sentences
from datasette_program_export.selection.annotated_schema import annotate
from datasette_program_export.selection.people import People
from tests.support.databases.building import document, exported
from tests.support.databases.people import SCHEMAS


def made(sql: str) -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.executescript(sql)
    return connection


def people(sql: str, **settings: Any) -> People:
    with closing(made(sql)) as connection:
        return annotate(reflect(connection), Settings.model_validate(settings)).people


@pytest.mark.parametrize("name", SCHEMAS)
def test_people_are_guessed(name: str) -> None:
    found = people(SCHEMAS[name].sql)
    assert (found.tables, found.known_by) == (SCHEMAS[name].people, "guess")


@pytest.mark.parametrize("parents", [None, "needed"])
@pytest.mark.parametrize("name", SCHEMAS)
def test_no_stranger_comes_with_a_person(name: str, parents: str | None) -> None:
    with closing(made(SCHEMAS[name].sql)) as connection:
        asked: dict[str, Any] = {"parents": parents} if parents else {}
        text = exported(connection, SCHEMAS[name].subject, "1", **asked).decode()
        assert "CANARY" not in text
        assert "OWN" in text
        everything = exported(connection, SCHEMAS[name].subject, "1", person=("none",), parents="needed").decode()
        assert "CANARY" in everything, "without the guess there would be nothing to keep back"


@pytest.mark.parametrize("name", SCHEMAS)
def test_everything_of_the_person_comes(name: str) -> None:
    """What says OWN is the person's, details and what hangs on these too, once somebody said who are people."""
    declared = Settings.model_validate({"persons": list(SCHEMAS[name].people)})
    with closing(made(SCHEMAS[name].sql)) as connection:
        text = exported(connection, SCHEMAS[name].subject, "1", settings=declared).decode()
        assert "CANARY" not in text
        dump = "\n".join(connection.iterdump())
        assert text.count("OWN") == dump.count("OWN")


CHINOOK = """
CREATE TABLE Artist (ArtistId INTEGER PRIMARY KEY, Name NVARCHAR(120));
CREATE TABLE Album (AlbumId INTEGER PRIMARY KEY, Title NVARCHAR(160), ArtistId INTEGER REFERENCES Artist);
CREATE TABLE Track (TrackId INTEGER PRIMARY KEY, Name NVARCHAR(200), AlbumId INTEGER REFERENCES Album,
    Composer NVARCHAR(220));
CREATE TABLE Employee (EmployeeId INTEGER PRIMARY KEY, LastName NVARCHAR(20), FirstName NVARCHAR(20),
    ReportsTo INTEGER REFERENCES Employee, BirthDate DATETIME);
CREATE TABLE Customer (CustomerId INTEGER PRIMARY KEY, FirstName NVARCHAR(40), LastName NVARCHAR(20),
    SupportRepId INTEGER REFERENCES Employee);
CREATE TABLE Invoice (InvoiceId INTEGER PRIMARY KEY, CustomerId INTEGER REFERENCES Customer, BillingAddress NVARCHAR);
CREATE TABLE InvoiceLine (InvoiceLineId INTEGER PRIMARY KEY, InvoiceId INTEGER REFERENCES Invoice,
    TrackId INTEGER REFERENCES Track);
INSERT INTO Artist VALUES (1, 'AC/DC');
INSERT INTO Album VALUES (1, 'Rock', 1);
INSERT INTO Track VALUES (1, 'Go', 1, 'A');
INSERT INTO Employee VALUES (1, 'CANARY', 'e', NULL, '1962-01-01');
INSERT INTO Customer VALUES (1, 'Anna', 'OWN', 1), (2, 'CANARY', 'x', 1);
INSERT INTO Invoice VALUES (1, 1, 'OWN street'), (2, 2, 'CANARY street');
INSERT INTO InvoiceLine VALUES (1, 1, 1), (2, 2, 1);
"""
NORTHWIND = """
CREATE TABLE Customers (CustomerID TEXT PRIMARY KEY, CompanyName TEXT, ContactName TEXT, Phone TEXT);
CREATE TABLE Employees (EmployeeID INTEGER PRIMARY KEY, LastName TEXT, FirstName TEXT, BirthDate DATE);
CREATE TABLE Suppliers (SupplierID INTEGER PRIMARY KEY, CompanyName TEXT, ContactName TEXT, Phone TEXT);
CREATE TABLE Shippers (ShipperID INTEGER PRIMARY KEY, CompanyName TEXT, Phone TEXT);
CREATE TABLE CustomerDemographics (CustomerTypeID TEXT PRIMARY KEY, CustomerDesc TEXT);
CREATE TABLE CustomerCustomerDemo (CustomerID TEXT REFERENCES Customers, CustomerTypeID TEXT REFERENCES
    CustomerDemographics, PRIMARY KEY (CustomerID, CustomerTypeID));
CREATE TABLE EmployeeTerritories (EmployeeID INTEGER REFERENCES Employees, TerritoryID TEXT,
    PRIMARY KEY (EmployeeID, TerritoryID));
CREATE TABLE Orders (OrderID INTEGER PRIMARY KEY, CustomerID TEXT REFERENCES Customers,
    EmployeeID INTEGER REFERENCES Employees);
"""
SAKILA = """
CREATE TABLE actor (actor_id INTEGER PRIMARY KEY, first_name TEXT, last_name TEXT);
CREATE TABLE city (city_id INTEGER PRIMARY KEY, city TEXT);
CREATE TABLE address (address_id INTEGER PRIMARY KEY, address TEXT, phone TEXT, city_id INT REFERENCES city);
CREATE TABLE store (store_id INTEGER PRIMARY KEY, manager_staff_id INT UNIQUE REFERENCES staff,
    address_id INT REFERENCES address);
CREATE TABLE staff (staff_id INTEGER PRIMARY KEY, first_name TEXT, last_name TEXT, store_id INT REFERENCES store,
    address_id INT REFERENCES address);
CREATE TABLE customer (customer_id INTEGER PRIMARY KEY, store_id INT REFERENCES store, first_name TEXT,
    last_name TEXT, address_id INT REFERENCES address);
CREATE TABLE film (film_id INTEGER PRIMARY KEY, title TEXT);
CREATE TABLE film_actor (actor_id INT REFERENCES actor, film_id INT REFERENCES film, PRIMARY KEY (actor_id, film_id));
CREATE TABLE rental (rental_id INTEGER PRIMARY KEY, customer_id INT REFERENCES customer, staff_id INT REFERENCES staff);
INSERT INTO city VALUES (1, 'x');
INSERT INTO address VALUES (1, 'OWN', '1', 1), (2, 'CANARY', '2', 1), (3, 'CANARY', '3', 1);
INSERT INTO store VALUES (1, 1, 3);
INSERT INTO staff VALUES (1, 'CANARY', 's', 1, 3);
INSERT INTO customer VALUES (1, 1, 'OWN', 'a', 1), (2, 1, 'CANARY', 'b', 2);
INSERT INTO rental VALUES (1, 1, 1), (2, 2, 1);
"""


def test_known_samples() -> None:
    assert people(CHINOOK).tables == ("Customer", "Employee")
    assert people(NORTHWIND).tables == ("Customers", "Employees")
    assert people(SAKILA).tables == ("customer", "actor", "staff")


@pytest.mark.parametrize(("sql", "table"), [(CHINOOK, "Customer"), (SAKILA, "customer")])
def test_a_customer_of_known_samples_comes_alone(sql: str, table: str) -> None:
    with closing(made(sql)) as connection:
        for parents in ("none", "needed"):
            text = exported(connection, table, "1", parents=parents).decode()
            assert "CANARY" not in text and "OWN" in text


@pytest.mark.skipif("PROGRAM_EXPORT_DATA" not in os.environ, reason="PROGRAM_EXPORT_DATA names no folder of databases")
@pytest.mark.parametrize(
    ("file", "table", "key", "column"),
    [("chinook.db", "Customer", "1", "Email"), ("northwind_small.db", "Customers", "ALFKI", "Phone")],
)
def test_real_samples(file: str, table: str, key: str, column: str) -> None:
    path = Path(os.environ["PROGRAM_EXPORT_DATA"]) / file
    with closing(sqlite3.connect(path)) as connection:
        others = [v for (v,) in connection.execute(f"SELECT {column} FROM {table} WHERE rowid > 1") if v]
    text = exported(path, table, key, parents="needed").decode()
    assert others and not [v for v in others if v in text]


def test_a_thing_is_exported_without_the_people_behind_it() -> None:
    """An artist is no person here; whose invoices hold the tracks is said, and can be included."""
    with closing(made(CHINOOK)) as connection:
        found = document(connection, "Artist", "1")
        assert "CANARY" not in str(found) and "OWN" not in str(found)
        assert [(w["table"], w["rows"]) for w in found["coverage"]["withheld"]] == [("InvoiceLine", 2)]
        assert len(document(connection, "Artist", "1", others="include")["tables"]["InvoiceLine"]) == 2


GUESSED = {
    "CREATE TABLE users (id INTEGER PRIMARY KEY)": ("users",),
    "CREATE TABLE auth_user (id INTEGER PRIMARY KEY, username TEXT)": ("auth_user",),
    "CREATE TABLE tblKunden (Nr INTEGER PRIMARY KEY, Name TEXT)": ("tblKunden",),
    "CREATE TABLE [Schüler] (id INTEGER PRIMARY KEY)": ("Schüler",),
    "CREATE TABLE usuários (id INTEGER PRIMARY KEY)": ("usuários",),
    "CREATE TABLE people (id INTEGER PRIMARY KEY)": ("people",),
    "CREATE TABLE x (a INTEGER PRIMARY KEY, first_name TEXT, surname TEXT)": ("x",),
    "CREATE TABLE x (a INTEGER PRIMARY KEY, name TEXT, date_of_birth DATE)": ("x",),
    "CREATE TABLE x (a INTEGER PRIMARY KEY, vorname TEXT, nachname TEXT)": ("x",),
    "CREATE TABLE contacts (id INTEGER PRIMARY KEY, name TEXT, phone TEXT)": ("contacts",),
    "CREATE TABLE profiles (id INTEGER PRIMARY KEY, username TEXT)": ("profiles",),
    "CREATE TABLE children (id INTEGER PRIMARY KEY, first_name TEXT)": ("children",),
    "CREATE TABLE members (id INTEGER PRIMARY KEY, name TEXT)": ("members",),
    "CREATE TABLE Versicherte (Nr INTEGER PRIMARY KEY, Name TEXT, Vorname TEXT)": ("Versicherte",),
    "CREATE TABLE SchülerInnen (Nr INTEGER PRIMARY KEY)": ("SchülerInnen",),
    "CREATE TABLE emp (id INTEGER PRIMARY KEY, fname TEXT, lname TEXT)": ("emp",),
    "CREATE TABLE athletes (id INTEGER PRIMARY KEY, name TEXT, email TEXT)": ("athletes",),
    "CREATE TABLE student_master (id INTEGER PRIMARY KEY)": ("student_master",),
    # not people
    "CREATE TABLE mice (id INTEGER PRIMARY KEY, name TEXT, dob DATE, dam INTEGER REFERENCES mice)": (),
    "CREATE TABLE venues (id INTEGER PRIMARY KEY, name TEXT, email TEXT)": (),
    "CREATE TABLE none (id INTEGER PRIMARY KEY, first_name TEXT, last_name TEXT)": (),
    "CREATE TABLE user_roles (id INTEGER PRIMARY KEY, name TEXT)": (),
    "CREATE TABLE customer_addresses (id INTEGER PRIMARY KEY, street TEXT)": (),
    "CREATE TABLE members (group_id INTEGER, item_id INTEGER)": (),
    "CREATE TABLE class_students (class_id INTEGER, student_id INTEGER)": (),
    "CREATE TABLE companies (id INTEGER PRIMARY KEY, name TEXT, email TEXT)": (),
    "CREATE TABLE accounts (id INTEGER PRIMARY KEY, name TEXT, balance REAL)": (),
    "CREATE TABLE products (id INTEGER PRIMARY KEY, name TEXT)": (),
    "CREATE TABLE x (a INTEGER PRIMARY KEY, name INTEGER, born INTEGER)": (),
    "CREATE VIEW users AS SELECT 1 id, 'a' first_name, 'b' last_name": (),
}


TOGETHER = {
    "those whom records are about before those of a name nobody knows": (
        "CREATE TABLE dentists (id INTEGER PRIMARY KEY, first_name TEXT, last_name TEXT);"
        "CREATE TABLE patients (id INTEGER PRIMARY KEY, first_name TEXT, last_name TEXT);",
        ("patients", "dentists"),
    ),
    "users after those who they are": (
        "CREATE TABLE employees (id INTEGER PRIMARY KEY, first_name TEXT, last_name TEXT);"
        "CREATE TABLE users (id INTEGER PRIMARY KEY, username TEXT, employee_id INTEGER UNIQUE REFERENCES employees);",
        ("employees", "users"),
    ),
    "a one-to-one of an application is people, too": (
        "CREATE TABLE auth_user (id INTEGER PRIMARY KEY, username TEXT);"
        "CREATE TABLE app_patient (id INTEGER PRIMARY KEY, user_id INTEGER UNIQUE REFERENCES auth_user, blood TEXT);",
        ("app_patient", "auth_user"),
    ),
    "accounts of customers are things": (
        "CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT);"
        "CREATE TABLE accounts (id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customers, iban TEXT);",
        ("customers",),
    ),
    "accounts to which users belong are organisations": (
        "CREATE TABLE accounts (id INTEGER PRIMARY KEY, name TEXT, email TEXT);"
        "CREATE TABLE users (id INTEGER PRIMARY KEY, account_id INTEGER REFERENCES accounts, name TEXT);",
        ("users",),
    ),
    "members with first names are people, whoever they brought along": (
        "CREATE TABLE members (id INTEGER PRIMARY KEY, first_name TEXT, last_name TEXT);"
        "CREATE TABLE guests (id INTEGER PRIMARY KEY, name TEXT, member_id INTEGER REFERENCES members);",
        ("members", "guests"),
    ),
    "and whoever trains them": (
        "CREATE TABLE trainers (id INTEGER PRIMARY KEY, name TEXT, phone TEXT);"
        "CREATE TABLE members (id INTEGER PRIMARY KEY, name TEXT, trainer_id INTEGER REFERENCES trainers);",
        ("members", "trainers"),
    ),
    "pets have owners": (
        "CREATE TABLE owners (id INTEGER PRIMARY KEY, first_name TEXT, last_name TEXT);"
        "CREATE TABLE pets (id INTEGER PRIMARY KEY, name TEXT, birth_date DATE, owner_id INTEGER REFERENCES owners);",
        ("owners",),
    ),
    "an employee whom a user entered is a person": (
        "CREATE TABLE auth_user (id INTEGER PRIMARY KEY, username TEXT);"
        "CREATE TABLE hr_employee (id INTEGER PRIMARY KEY, first_name TEXT, created_by INTEGER REFERENCES auth_user);",
        ("hr_employee", "auth_user"),
    ),
}


@pytest.mark.parametrize("case", TOGETHER)
def test_tables_decide_together(case: str) -> None:
    sql, expected = TOGETHER[case]
    assert people(sql).tables == expected


def test_a_view_cannot_be_declared_people() -> None:
    with pytest.raises(SettingsError, match="persons: v is no table"):
        people("CREATE VIEW v AS SELECT 1", persons=["v"])


@pytest.mark.parametrize("sql", GUESSED)
def test_names_and_types_decide(sql: str) -> None:
    assert people(sql).tables == GUESSED[sql]


def test_rows_never_decide() -> None:
    empty = "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT); CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT);"
    full = empty + "INSERT INTO t VALUES (1, 'Anna Smith, born 1990-01-01, anna@example.org');"
    assert people(empty) == people(full)


def test_settings_and_a_preset_win_over_the_guess() -> None:
    sql = SCHEMAS["forum"].sql
    assert people(sql, persons=["threads"]).tables == ("threads",)
    assert people(sql, persons="none") == People((), "settings")
    assert people(sql, subjects={"posts": {"person": True}}).tables == ("posts",)
    assert people(sql, persons=["elsewhere"]).known_by == "guess"  # settings may serve several databases


def test_a_request_says_otherwise_and_records_the_guess() -> None:
    with closing(made(SCHEMAS["forum"].sql)) as connection:
        guessed = document(connection, "users", "1")
        assert guessed["export"]["request"]["person"] == ["users"]
        said = document(connection, "users", "1", person=("users",))
        assert said["tables"] == guessed["tables"] and said["coverage"] == guessed["coverage"]  # the page's own words
        other = document(connection, "users", "1", person=("users", "posts"))
        assert other["coverage"]["people"]["known_by"] == "request"
        nobody = document(connection, "users", "1", person=("none",))
        assert "CANARY" in str(nobody["tables"])
        for wrong in (("nix",), ("none", "users")):
            with pytest.raises(RequestError, match="person"):
                document(connection, "users", "1", person=wrong)


def test_to_name_those_who_are_declared_changes_nothing() -> None:
    declared = Settings.model_validate({"persons": ["customers", "employees"]})
    with closing(made(SCHEMAS["shop"].sql)) as connection:
        plain = document(connection, "customers", "1", settings=declared)
        said = document(connection, "customers", "1", settings=declared, person=("employees", "customers"))
        assert said["tables"] == plain["tables"] and said["coverage"] == plain["coverage"]


def test_a_guess_adds_no_parents() -> None:
    with closing(made(SCHEMAS["shop"].sql)) as connection:
        assert "addresses" not in document(connection, "customers", "1")["tables"]
        declared = Settings.model_validate({"persons": ["customers"]})
        assert "addresses" in document(connection, "customers", "1", settings=declared)["tables"]


def test_who_may_not_see_the_people_cannot_name_them_nor_take_them_back() -> None:
    """Users are hidden: rows of theirs are withheld all the same, whatever the request says of people."""
    with closing(made(SCHEMAS["forum"].sql)) as connection:
        seen = {"threads", "posts", "attachments", "reactions"}
        for asked in ({}, {"person": ("none",)}, {"person": ("posts",)}):
            found = document(connection, "threads", "1", visible=seen, **asked)
            assert "CANARY" not in str(found["tables"]) and "'users'" not in str(found["coverage"].get("people"))
        hidden = pytest.raises(RequestError, match="no table users, or you may not see it")
        with hidden:
            document(connection, "threads", "1", visible=seen, person=("users",))
        with pytest.raises(RequestError, match="no table nix, or you may not see it"):
            document(connection, "threads", "1", visible=seen, person=("nix",))


MISSED = """
CREATE TABLE zz7 (nr INTEGER PRIMARY KEY, label TEXT);
CREATE TABLE zz8 (nr INTEGER PRIMARY KEY, zz7 INTEGER REFERENCES zz7, email TEXT);
INSERT INTO zz7 VALUES (1, 'a'), (2, 'b');
INSERT INTO zz8 VALUES (1, 1, 'a@x'), (2, 2, 'b@x');
"""


def test_what_cannot_be_guessed_is_said_too() -> None:
    with closing(made(MISSED)) as connection, export(connection, Request(table="zz7", records=[("1",)])) as found:
        b"".join(found)
        assert coverage_sentences(found.coverage)[:2] == [
            "No table was taken for people: if some hold people, rows of others are included.",
            "zz8 was not taken for people, although it has email.",
        ]


def test_what_is_referred_to_is_doubted_too() -> None:
    """Who is exported as a thing may refer to people whom nobody recognised."""
    sql = """
    CREATE TABLE zz9 (nr INTEGER PRIMARY KEY, email TEXT);
    CREATE TABLE things (nr INTEGER PRIMARY KEY, zz9 INTEGER REFERENCES zz9);
    CREATE TABLE far (nr INTEGER PRIMARY KEY, email TEXT);
    INSERT INTO things VALUES (1, NULL);
    """
    with closing(made(sql)) as connection:
        assert document(connection, "things", "1")["coverage"]["people"]["doubtful"] == {"zz9": ["email"]}
        seen = document(connection, "things", "1", visible={"things"})
        assert "doubtful" not in seen["coverage"]["people"]


def test_every_door_says_it_first_and_in_the_same_words() -> None:
    first = (
        "users was taken for people, by its name and columns: rows of people who were not asked for are not included."
    )
    with closing(made(SCHEMAS["forum"].sql)) as connection:
        request = Request(table="users", records=[("1",)])
        assert coverage_sentences(plan(connection, request).coverage)[0] == first
        with export(connection, Request(table="users", records=[("1",)], format="package")) as packed:
            data = io.BytesIO(b"".join(packed))
        told = zipfile.ZipFile(data).read("README.txt").decode().partition("What is not in these files, and why:")[2]
        assert told.split("  - ")[1].strip() == first
        assert coverage_sentences(packed.coverage)[0] == first
