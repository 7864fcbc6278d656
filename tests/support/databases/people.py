"""Ten schemas that nobody has described, each with a person whose export is asked for, row 1, and with strangers.

A text of that person begins with OWN, every row of somebody else holds a CANARY.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class People:
    """A schema with rows, its tables of people, and the one whose row 1 is asked for."""

    subject: str
    people: tuple[str, ...]
    sql: str


SCHEMAS = {
    "school": People(
        "pupils",
        ("pupils", "teachers"),
        """
    CREATE TABLE pupils(id INTEGER PRIMARY KEY, first_name TEXT, last_name TEXT,
        class_id INTEGER REFERENCES classes);
    CREATE TABLE teachers(id INTEGER PRIMARY KEY, name TEXT, email TEXT);
    CREATE TABLE classes(id INTEGER PRIMARY KEY, name TEXT, speaker_id INTEGER REFERENCES pupils,
        teacher_id INTEGER REFERENCES teachers);
    CREATE TABLE grades(id INTEGER PRIMARY KEY, pupil_id INTEGER REFERENCES pupils,
        teacher_id INTEGER REFERENCES teachers, grade TEXT);
    CREATE TABLE incidents(id INTEGER PRIMARY KEY, class_id INTEGER REFERENCES classes, what TEXT);
    CREATE TABLE incident_students(incident_id INTEGER REFERENCES incidents,
        pupil_id INTEGER REFERENCES pupils, said TEXT, PRIMARY KEY(incident_id,pupil_id));
    INSERT INTO teachers VALUES(1,'Tina CANARYT','t@x');
    INSERT INTO pupils VALUES(1,'OWN Anna','A',1),(2,'Bob','CANARYB',1);
    INSERT INTO classes VALUES(1,'7b',1,1);
    INSERT INTO grades VALUES(1,1,1,'A'),(2,2,1,'CANARYF');
    INSERT INTO incidents VALUES(1,1,'fire');
    INSERT INTO incident_students VALUES(1,1,'innocent'),(1,2,'CANARYguilty');
    """,
    ),
    "tenant": People(
        "users",
        ("users",),
        """
    CREATE TABLE tenants(id INTEGER PRIMARY KEY, name TEXT, owner_id INTEGER REFERENCES users);
    CREATE TABLE users(id INTEGER PRIMARY KEY, tenant_id INTEGER REFERENCES tenants,
        profile_id INTEGER REFERENCES profiles, email TEXT);
    CREATE TABLE profiles(id INTEGER PRIMARY KEY, tenant_id INTEGER REFERENCES tenants, iban TEXT);
    CREATE TABLE payslips(id INTEGER PRIMARY KEY, profile_id INTEGER REFERENCES profiles, salary TEXT);
    INSERT INTO tenants VALUES(1,'acme',1);
    INSERT INTO profiles VALUES(1,1,'A-iban'),(2,1,'CANARYiban');
    INSERT INTO users VALUES(1,1,1,'OWN@x'),(2,1,2,'CANARY@x');
    INSERT INTO payslips VALUES(1,1,'OWN'),(2,2,'CANARYsalary');
    """,
    ),
    "crm": People(
        "contacts",
        ("contacts", "users"),
        """
    CREATE TABLE companies(id INTEGER PRIMARY KEY, name TEXT, primary_contact_id INTEGER REFERENCES contacts);
    CREATE TABLE users(id INTEGER PRIMARY KEY, username TEXT);
    CREATE TABLE contacts(id INTEGER PRIMARY KEY, company_id INTEGER REFERENCES companies,
        owner_id INTEGER REFERENCES users, name TEXT, email TEXT);
    CREATE TABLE deals(id INTEGER PRIMARY KEY, company_id INTEGER REFERENCES companies,
        contact_id INTEGER REFERENCES contacts, title TEXT);
    CREATE TABLE notes(id INTEGER PRIMARY KEY, deal_id INTEGER REFERENCES deals,
        author_id INTEGER REFERENCES users, text TEXT);
    INSERT INTO companies VALUES(1,'acme',1);
    INSERT INTO users VALUES(1,'CANARYu');
    INSERT INTO contacts VALUES(1,1,1,'OWN Anna','a@x'),(2,1,1,'CANARYBob','b@x'),(3,1,1,'CANARYCarl','c@x');
    INSERT INTO deals VALUES(1,1,1,'OWN'),(2,1,2,'CANARYdeal');
    INSERT INTO notes VALUES(1,1,1,'OWN note'),(2,2,1,'CANARYnote');
    """,
    ),
    "family": People(
        "persons",
        ("persons",),
        """
    CREATE TABLE persons(id INTEGER PRIMARY KEY, name TEXT, father_id INTEGER REFERENCES persons,
        mother_id INTEGER REFERENCES persons);
    CREATE TABLE families(id INTEGER PRIMARY KEY, husband_id INTEGER REFERENCES persons,
        wife_id INTEGER REFERENCES persons);
    CREATE TABLE family_children(family_id INTEGER REFERENCES families, child_id INTEGER REFERENCES persons,
        PRIMARY KEY(family_id,child_id));
    CREATE TABLE events(id INTEGER PRIMARY KEY, person_id INTEGER REFERENCES persons, what TEXT);
    INSERT INTO persons VALUES(1,'OWN Anna',2,NULL),(2,'CANARYBob',NULL,NULL),(3,'CANARYkid',NULL,1);
    INSERT INTO families VALUES(1,2,1);
    INSERT INTO family_children VALUES(1,3);
    INSERT INTO events VALUES(1,1,'born'),(2,2,'CANARYborn'),(3,3,'CANARYborn3');
    """,
    ),
    "forum": People(
        "users",
        ("users",),
        """
    CREATE TABLE users(id INTEGER PRIMARY KEY, username TEXT, email TEXT);
    CREATE TABLE threads(id INTEGER PRIMARY KEY, author_id INTEGER REFERENCES users, title TEXT);
    CREATE TABLE posts(id INTEGER PRIMARY KEY, thread_id INTEGER REFERENCES threads,
        author_id INTEGER REFERENCES users, body TEXT);
    CREATE TABLE attachments(id INTEGER PRIMARY KEY, post_id INTEGER REFERENCES posts, name TEXT);
    CREATE TABLE reactions(post_id INTEGER REFERENCES posts, user_id INTEGER REFERENCES users, kind TEXT,
        PRIMARY KEY(post_id,user_id));
    INSERT INTO users VALUES(1,'OWN anna','a@x'),(2,'CANARYbob','b@x');
    INSERT INTO threads VALUES(1,1,'mine'),(2,2,'CANARYthread');
    INSERT INTO posts VALUES(1,1,1,'OWN'),(2,1,2,'CANARYpost'),(3,2,1,'OWN elsewhere');
    INSERT INTO attachments VALUES(1,1,'OWN'),(2,2,'CANARYatt');
    INSERT INTO reactions VALUES(1,2,'CANARYlike'),(2,1,'mine');
    """,
    ),
    "chat": People(
        "user",
        ("user",),
        """
    CREATE TABLE user(id INTEGER PRIMARY KEY, handle TEXT);
    CREATE TABLE room(id INTEGER PRIMARY KEY, created_by INTEGER REFERENCES user, name TEXT);
    CREATE TABLE member(room_id INTEGER REFERENCES room, user_id INTEGER REFERENCES user, nick TEXT,
        PRIMARY KEY(room_id,user_id));
    CREATE TABLE message(id INTEGER PRIMARY KEY, room_id INTEGER REFERENCES room,
        sender_id INTEGER REFERENCES user, recipient_id INTEGER REFERENCES user, body TEXT);
    INSERT INTO user VALUES(1,'OWN anna'),(2,'CANARYbob');
    INSERT INTO room VALUES(1,1,'r');
    INSERT INTO member VALUES(1,1,'me'),(1,2,'CANARYnick');
    INSERT INTO message VALUES(1,1,1,NULL,'OWN'),(2,1,2,NULL,'CANARYmsg'),(3,NULL,2,1,'to anna');
    """,
    ),
    "clinic": People(
        "patients",
        ("patients", "persons", "doctors"),
        """
    CREATE TABLE persons(id INTEGER PRIMARY KEY, name TEXT, phone TEXT);
    CREATE TABLE patients(id INTEGER PRIMARY KEY, person_id INTEGER UNIQUE REFERENCES persons, blood TEXT);
    CREATE TABLE doctors(id INTEGER PRIMARY KEY, person_id INTEGER UNIQUE REFERENCES persons, first_name TEXT,
        last_name TEXT);
    CREATE TABLE visits(id INTEGER PRIMARY KEY, patient_id INTEGER REFERENCES patients,
        doctor_id INTEGER REFERENCES doctors, diagnosis TEXT);
    CREATE TABLE emergency_contacts(id INTEGER PRIMARY KEY, patient_id INTEGER REFERENCES patients,
        person_id INTEGER REFERENCES persons, name TEXT, phone TEXT);
    CREATE TABLE relatives(patient_id INTEGER REFERENCES patients, relative_id INTEGER REFERENCES patients,
        diagnosis TEXT, PRIMARY KEY(patient_id,relative_id));
    INSERT INTO persons VALUES(1,'OWN Anna','1'),(2,'CANARYBob','CANARY2'),(3,'CANARYDoc','3');
    INSERT INTO patients VALUES(1,1,'A'),(2,2,'CANARYblood');
    INSERT INTO doctors VALUES(1,3,'CANARYD','x');
    INSERT INTO visits VALUES(1,1,1,'OWN'),(2,2,1,'CANARYdiag');
    INSERT INTO emergency_contacts VALUES(1,1,2,'bob for anna','OWN');
    INSERT INTO relatives VALUES(1,2,'OWN'),(2,1,'CANARYrel');
    """,
    ),
    "shop": People(
        "customers",
        ("customers", "employees"),
        """
    CREATE TABLE addresses(id INTEGER PRIMARY KEY, street TEXT, city TEXT);
    CREATE TABLE customers(id INTEGER PRIMARY KEY, name TEXT, address_id INTEGER REFERENCES addresses);
    CREATE TABLE employees(id INTEGER PRIMARY KEY, name TEXT);
    CREATE TABLE orders(id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customers,
        ship_to INTEGER REFERENCES addresses, employee_id INTEGER REFERENCES employees);
    CREATE TABLE products(id INTEGER PRIMARY KEY, name TEXT);
    CREATE TABLE order_lines(order_id INTEGER REFERENCES orders, product_id INTEGER REFERENCES products,
        n INTEGER, PRIMARY KEY(order_id,product_id));
    CREATE TABLE deliveries(id INTEGER PRIMARY KEY, address_id INTEGER REFERENCES addresses, what TEXT);
    INSERT INTO addresses VALUES(1,'OWN street','x'),(2,'CANARYstreet','y');
    INSERT INTO customers VALUES(1,'OWN Anna',1),(2,'CANARYBob',2);
    INSERT INTO employees VALUES(1,'CANARYEmp');
    INSERT INTO orders VALUES(1,1,2,1),(2,2,2,1),(3,1,1,1);
    INSERT INTO products VALUES(1,'tea');
    INSERT INTO order_lines VALUES(1,1,1),(2,1,2),(3,1,2);
    INSERT INTO deliveries VALUES(1,1,'OWN'),(2,2,'CANARYdeliv');
    """,
    ),
    "practice": People(
        "clients",
        ("clients", "therapists"),
        """
    CREATE TABLE therapists(id INTEGER PRIMARY KEY, first_name TEXT, last_name TEXT);
    CREATE TABLE clients(id INTEGER PRIMARY KEY, name TEXT, therapist_id INTEGER REFERENCES therapists);
    CREATE TABLE sessions(id INTEGER PRIMARY KEY, client_id INTEGER REFERENCES clients,
        therapist_id INTEGER REFERENCES therapists, note TEXT);
    CREATE TABLE groups_(id INTEGER PRIMARY KEY, name TEXT, leader_id INTEGER REFERENCES clients);
    CREATE TABLE group_notes(id INTEGER PRIMARY KEY, group_id INTEGER REFERENCES groups_,
        client_id INTEGER REFERENCES clients, note TEXT);
    INSERT INTO therapists VALUES(1,'CANARYT','x');
    INSERT INTO clients VALUES(1,'OWN Anna',1),(2,'CANARYBob',1);
    INSERT INTO sessions VALUES(1,1,1,'OWN'),(2,2,1,'CANARYnote');
    INSERT INTO groups_ VALUES(1,'g',1);
    INSERT INTO group_notes VALUES(1,1,1,'OWN'),(2,1,2,'CANARYgn');
    """,
    ),
    "verein": People(
        "Mitglieder",
        ("Mitglieder",),
        """
    CREATE TABLE Mitglieder(Nr INTEGER PRIMARY KEY, Vorname TEXT, Nachname TEXT,
        Adresse_Nr INTEGER REFERENCES Adressen, GeworbenVon INTEGER REFERENCES Mitglieder);
    CREATE TABLE Adressen(Nr INTEGER PRIMARY KEY, Strasse TEXT);
    CREATE TABLE Beitraege(Nr INTEGER PRIMARY KEY, MitgliedNr INTEGER REFERENCES Mitglieder, Betrag TEXT);
    CREATE TABLE Gruppen(Nr INTEGER PRIMARY KEY, Leiter INTEGER REFERENCES Mitglieder, Name TEXT);
    CREATE TABLE GruppenMitglieder(GruppeNr INTEGER REFERENCES Gruppen,
        MitgliedNr INTEGER REFERENCES Mitglieder, Rolle TEXT, PRIMARY KEY(GruppeNr,MitgliedNr));
    INSERT INTO Adressen VALUES(1,'OWN'),(2,'CANARYs');
    INSERT INTO Mitglieder VALUES(1,'OWN Anna','A',1,2),(2,'CANARYB','B',2,1);
    INSERT INTO Beitraege VALUES(1,1,'OWN'),(2,2,'CANARYbetrag');
    INSERT INTO Gruppen VALUES(1,1,'chor');
    INSERT INTO GruppenMitglieder VALUES(1,1,'x'),(1,2,'CANARYrolle');
    """,
    ),
}


def people_file(folder: Path, name: str) -> Path:
    """A file in a folder with one of the schemas and its rows."""
    path = folder / f"{name}.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(SCHEMAS[name].sql)
    return path
