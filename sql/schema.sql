-- The schema that sql/migrations make, with views and grants. Written by `make schema`; a test compares it.
-- PostgreSQL 15

-- Name: api; Type: SCHEMA; Schema: -; Owner: -

CREATE SCHEMA api;

-- Name: store; Type: SCHEMA; Schema: -; Owner: -

CREATE SCHEMA store;

-- Name: import_groups; Type: TABLE; Schema: store; Owner: -

CREATE UNLOGGED TABLE store.import_groups (
    import uuid NOT NULL,
    number bigint NOT NULL,
    line bigint NOT NULL,
    id uuid NOT NULL,
    id_given boolean NOT NULL,
    display_name_key text NOT NULL COLLATE pg_catalog."C",
    external_id text COLLATE pg_catalog."C",
    posix_name text NOT NULL COLLATE pg_catalog."C",
    gid bigint,
    doc jsonb NOT NULL,
    doc_key jsonb NOT NULL,
    key_version smallint NOT NULL
);

-- Name: users; Type: TABLE; Schema: store; Owner: -

CREATE TABLE store.users (
    id uuid NOT NULL,
    user_name_key text NOT NULL COLLATE pg_catalog."C",
    external_id text COLLATE pg_catalog."C",
    display_name_key text COLLATE pg_catalog."C",
    posix_name text NOT NULL COLLATE pg_catalog."C",
    uid bigint NOT NULL,
    primary_gid bigint NOT NULL,
    private_group boolean NOT NULL,
    home text NOT NULL COLLATE pg_catalog."C",
    shell text COLLATE pg_catalog."C",
    gecos text NOT NULL,
    admin boolean NOT NULL,
    locked boolean NOT NULL,
    doc jsonb NOT NULL,
    doc_key jsonb NOT NULL,
    key_version smallint NOT NULL,
    version bigint NOT NULL,
    created timestamp with time zone NOT NULL,
    last_modified timestamp with time zone NOT NULL,
    deleted_at timestamp with time zone
)
WITH (fillfactor='90');

-- Name: login_state; Type: TABLE; Schema: store; Owner: -

CREATE TABLE store.login_state (
    user_id uuid NOT NULL,
    provider text NOT NULL,
    subject text,
    claims_hash bytea,
    claims_at timestamp with time zone NOT NULL
);

-- Name: groups; Type: TABLE; Schema: store; Owner: -

CREATE TABLE store.groups (
    id uuid NOT NULL,
    display_name_key text NOT NULL COLLATE pg_catalog."C",
    external_id text COLLATE pg_catalog."C",
    posix_name text NOT NULL COLLATE pg_catalog."C",
    gid bigint NOT NULL,
    doc jsonb NOT NULL,
    doc_key jsonb NOT NULL,
    key_version smallint NOT NULL,
    version bigint NOT NULL,
    created timestamp with time zone NOT NULL,
    last_modified timestamp with time zone NOT NULL,
    deleted_at timestamp with time zone
)
WITH (fillfactor='80');

-- Name: groups; Type: VIEW; Schema: api; Owner: -

CREATE VIEW api.groups AS
 SELECT g.id,
    g.display_name_key,
    g.external_id,
    g.posix_name,
    g.gid,
    g.created,
    g.last_modified,
    g.version,
    g.doc,
    g.doc_key
   FROM store.groups g
  WHERE (g.deleted_at IS NULL);

-- Name: memberships; Type: TABLE; Schema: store; Owner: -

CREATE TABLE store.memberships (
    group_id uuid NOT NULL,
    member_id uuid NOT NULL,
    is_group boolean NOT NULL,
    provenance smallint NOT NULL
);

-- Name: memberships; Type: VIEW; Schema: api; Owner: -

CREATE VIEW api.memberships AS
 SELECT m.group_id,
    m.member_id,
    m.is_group,
    m.provenance
   FROM store.memberships m;

-- Name: user_emails; Type: TABLE; Schema: store; Owner: -

CREATE TABLE store.user_emails (
    key text NOT NULL COLLATE pg_catalog."C",
    user_id uuid NOT NULL
);

-- Name: user_emails; Type: VIEW; Schema: api; Owner: -

CREATE VIEW api.user_emails AS
 SELECT e.user_id,
    e.key
   FROM store.user_emails e;

-- Name: sign_ins; Type: TABLE; Schema: store; Owner: -

CREATE TABLE store.sign_ins (
    user_id uuid NOT NULL,
    at timestamp with time zone NOT NULL
);

-- Name: users; Type: VIEW; Schema: api; Owner: -

CREATE VIEW api.users WITH (security_barrier='false') AS
 SELECT u.id,
    u.user_name_key,
    u.display_name_key,
    u.external_id,
    u.posix_name,
    u.uid,
    u.primary_gid,
    u.home,
    u.shell,
    u.admin,
    u.locked,
    u.created,
    u.last_modified,
    u.version,
    s.at AS last_sign_in,
    u.doc,
    u.doc_key
   FROM (store.users u
     LEFT JOIN store.sign_ins s ON ((s.user_id = u.id)))
  WHERE (u.deleted_at IS NULL);

-- Name: admin_group; Type: TABLE; Schema: store; Owner: -

CREATE TABLE store.admin_group (
    one boolean DEFAULT true NOT NULL,
    group_id uuid NOT NULL,
    CONSTRAINT admin_group_one_check CHECK (one)
);

-- Name: assertions_used; Type: TABLE; Schema: store; Owner: -

CREATE TABLE store.assertions_used (
    issuer text NOT NULL COLLATE pg_catalog."C",
    assertion_id text NOT NULL COLLATE pg_catalog."C",
    expires_at timestamp with time zone NOT NULL
);

-- Name: audit; Type: TABLE; Schema: store; Owner: -

CREATE TABLE store.audit (
    id bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    actor text NOT NULL,
    path text NOT NULL,
    action text NOT NULL,
    resource text NOT NULL,
    subject uuid,
    request_id text,
    origin text,
    detail jsonb NOT NULL,
    write uuid
)
PARTITION BY RANGE (at);

-- Name: audit_default; Type: TABLE; Schema: store; Owner: -

CREATE TABLE store.audit_default (
    id bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    actor text NOT NULL,
    path text NOT NULL,
    action text NOT NULL,
    resource text NOT NULL,
    subject uuid,
    request_id text,
    origin text,
    detail jsonb NOT NULL,
    write uuid
);

-- Name: audit_id_seq; Type: SEQUENCE; Schema: store; Owner: -

ALTER TABLE store.audit ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME store.audit_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: brake_limits; Type: TABLE; Schema: store; Owner: -

CREATE TABLE store.brake_limits (
    actor text NOT NULL,
    removal_limit bigint NOT NULL,
    CONSTRAINT brake_limits_removal_limit_check CHECK ((removal_limit >= 0))
);

-- Name: brake_overrides; Type: TABLE; Schema: store; Owner: -

CREATE TABLE store.brake_overrides (
    actor text NOT NULL,
    removal_limit bigint NOT NULL,
    until timestamp with time zone NOT NULL,
    CONSTRAINT brake_overrides_removal_limit_check CHECK ((removal_limit >= 0))
);

-- Name: change_feed; Type: TABLE; Schema: store; Owner: -

CREATE TABLE store.change_feed (
    id bigint NOT NULL,
    xid xid8 NOT NULL,
    at timestamp with time zone NOT NULL,
    kind text NOT NULL,
    subject uuid NOT NULL,
    members uuid[]
);

-- Name: change_feed_id_seq; Type: SEQUENCE; Schema: store; Owner: -

ALTER TABLE store.change_feed ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME store.change_feed_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: feed_state; Type: TABLE; Schema: store; Owner: -

CREATE TABLE store.feed_state (
    only_row boolean DEFAULT true NOT NULL,
    cut_to bigint NOT NULL,
    CONSTRAINT feed_state_only_row_check CHECK (only_row)
);

-- Name: functions_state; Type: TABLE; Schema: store; Owner: -

CREATE TABLE store.functions_state (
    only_row boolean DEFAULT true NOT NULL,
    hash text NOT NULL,
    applied_at timestamp with time zone NOT NULL,
    CONSTRAINT functions_state_only_row_check CHECK (only_row)
);

-- Name: gid_seq; Type: SEQUENCE; Schema: store; Owner: -

CREATE SEQUENCE store.gid_seq
    START WITH 1000
    INCREMENT BY 1
    MINVALUE 0
    NO MAXVALUE
    CACHE 1;

-- Name: id_epoch; Type: TABLE; Schema: store; Owner: -

CREATE TABLE store.id_epoch (
    only_row boolean DEFAULT true NOT NULL,
    timeline text NOT NULL,
    system_identifier bigint NOT NULL,
    epoch bigint NOT NULL,
    CONSTRAINT id_epoch_only_row_check CHECK (only_row)
);

-- Name: id_reserved; Type: TABLE; Schema: store; Owner: -

CREATE TABLE store.id_reserved (
    block int8range NOT NULL,
    hard boolean NOT NULL,
    reason text NOT NULL,
    by_site boolean DEFAULT false NOT NULL
);

-- Name: import_members; Type: TABLE; Schema: store; Owner: -

CREATE UNLOGGED TABLE store.import_members (
    import uuid NOT NULL,
    number bigint NOT NULL,
    kind text NOT NULL,
    value text NOT NULL COLLATE pg_catalog."C",
    dn text COLLATE pg_catalog."C"
);

-- Name: import_names; Type: TABLE; Schema: store; Owner: -

CREATE UNLOGGED TABLE store.import_names (
    import uuid NOT NULL,
    dn text NOT NULL COLLATE pg_catalog."C",
    kind text NOT NULL,
    name text NOT NULL COLLATE pg_catalog."C"
);

-- Name: import_users; Type: TABLE; Schema: store; Owner: -

CREATE UNLOGGED TABLE store.import_users (
    import uuid NOT NULL,
    number bigint NOT NULL,
    line bigint NOT NULL,
    id uuid NOT NULL,
    id_given boolean NOT NULL,
    user_name_key text NOT NULL COLLATE pg_catalog."C",
    external_id text COLLATE pg_catalog."C",
    display_name_key text COLLATE pg_catalog."C",
    posix_name text NOT NULL COLLATE pg_catalog."C",
    uid bigint,
    gid bigint,
    private_group boolean,
    home text COLLATE pg_catalog."C",
    shell text COLLATE pg_catalog."C",
    gecos text NOT NULL,
    admin boolean NOT NULL,
    locked boolean NOT NULL,
    doc jsonb NOT NULL,
    doc_key jsonb NOT NULL,
    key_version smallint NOT NULL,
    emails jsonb
);

-- Name: imports; Type: TABLE; Schema: store; Owner: -

CREATE UNLOGGED TABLE store.imports (
    id uuid NOT NULL,
    actor text NOT NULL,
    touched timestamp with time zone NOT NULL
);

-- Name: login_transactions; Type: TABLE; Schema: store; Owner: -

CREATE TABLE store.login_transactions (
    state_hash bytea NOT NULL,
    browser_hash bytea NOT NULL,
    provider text NOT NULL,
    detail jsonb NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    CONSTRAINT login_transactions_browser_hash_check CHECK ((length(browser_hash) = 32)),
    CONSTRAINT login_transactions_state_hash_check CHECK ((length(state_hash) = 32))
);

-- Name: migrations; Type: TABLE; Schema: store; Owner: -

CREATE TABLE store.migrations (
    version integer NOT NULL,
    name character varying(255),
    applied_on character varying(255),
    checksum character varying(255)
);

-- Name: nodes; Type: TABLE; Schema: store; Owner: -

CREATE TABLE store.nodes (
    name text NOT NULL,
    cache_ttl_s integer,
    seen_at timestamp with time zone NOT NULL,
    seen_from text NOT NULL,
    CONSTRAINT nodes_cache_ttl CHECK (((cache_ttl_s >= 1) AND (cache_ttl_s <= 300))),
    CONSTRAINT nodes_name CHECK ((name ~ '^[A-Za-z0-9._-]{1,64}$'::text))
);

-- Name: posix_group_names; Type: TABLE; Schema: store; Owner: -

CREATE TABLE store.posix_group_names (
    name text NOT NULL COLLATE pg_catalog."C",
    owner uuid NOT NULL
);

-- Name: posix_ids; Type: TABLE; Schema: store; Owner: -

CREATE TABLE store.posix_ids (
    id bigint NOT NULL,
    uid_owner uuid,
    gid_owner uuid,
    asked boolean NOT NULL,
    issued_at timestamp with time zone NOT NULL,
    uid_retired_at timestamp with time zone,
    gid_retired_at timestamp with time zone,
    CONSTRAINT posix_ids_id_check CHECK (((id >= 0) AND (id <= '4294967294'::bigint)))
);

-- Name: removals; Type: TABLE; Schema: store; Owner: -

CREATE TABLE store.removals (
    actor text NOT NULL,
    at timestamp with time zone NOT NULL,
    subject uuid NOT NULL
);

-- Name: scim_requests; Type: TABLE; Schema: store; Owner: -

CREATE TABLE store.scim_requests (
    id bigint NOT NULL,
    token text NOT NULL COLLATE pg_catalog."C",
    at timestamp with time zone NOT NULL,
    request_id text NOT NULL,
    method text NOT NULL,
    target text NOT NULL,
    status smallint NOT NULL,
    scim_type text,
    detail text,
    duration_us bigint NOT NULL,
    body text
);

-- Name: scim_requests_id_seq; Type: SEQUENCE; Schema: store; Owner: -

ALTER TABLE store.scim_requests ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME store.scim_requests_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: session_state; Type: TABLE; Schema: store; Owner: -

CREATE TABLE store.session_state (
    only_row boolean DEFAULT true NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT session_state_only_row_check CHECK (only_row)
);

-- Name: sessions; Type: TABLE; Schema: store; Owner: -

CREATE TABLE store.sessions (
    id_hash bytea NOT NULL,
    user_id uuid NOT NULL,
    provider text NOT NULL,
    subject text,
    provider_session text,
    created timestamp with time zone NOT NULL,
    last_seen timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    end_version bigint,
    CONSTRAINT sessions_end_has_a_version CHECK (((ended_at IS NULL) = (end_version IS NULL))),
    CONSTRAINT sessions_id_hash_check CHECK ((length(id_hash) = 32))
);

-- Name: token_state; Type: TABLE; Schema: store; Owner: -

CREATE TABLE store.token_state (
    only_row boolean DEFAULT true NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT token_state_only_row_check CHECK (only_row)
);

-- Name: tokens; Type: TABLE; Schema: store; Owner: -

CREATE TABLE store.tokens (
    public_id text NOT NULL COLLATE pg_catalog."C",
    name text NOT NULL,
    secret_hash bytea NOT NULL,
    scopes text[] NOT NULL,
    dialect text NOT NULL,
    parent text COLLATE pg_catalog."C",
    created timestamp with time zone NOT NULL,
    created_by text NOT NULL,
    expires_at timestamp with time zone,
    revoked_at timestamp with time zone,
    last_used_at timestamp with time zone,
    last_used_from text,
    CONSTRAINT tokens_scopes_check CHECK ((cardinality(scopes) > 0)),
    CONSTRAINT tokens_secret_hash_check CHECK ((length(secret_hash) = 32))
);

-- Name: uid_seq; Type: SEQUENCE; Schema: store; Owner: -

CREATE SEQUENCE store.uid_seq
    START WITH 1000
    INCREMENT BY 1
    MINVALUE 0
    NO MAXVALUE
    CACHE 1;

-- Name: user_group_lists; Type: VIEW; Schema: store; Owner: -

CREATE VIEW store.user_group_lists AS
 SELECT m.member_id AS user_id,
    jsonb_agg(jsonb_build_object('id', g.id, 'display', (g.doc ->> 'displayName'::text)) ORDER BY g.id) AS groups
   FROM store.memberships m,
    LATERAL ( SELECT g_1.id,
            g_1.doc
           FROM store.groups g_1
          WHERE ((g_1.id = m.group_id) AND (g_1.deleted_at IS NULL))
         OFFSET 0) g
  GROUP BY m.member_id;

-- Name: audit_default; Type: TABLE ATTACH; Schema: store; Owner: -

ALTER TABLE ONLY store.audit ATTACH PARTITION store.audit_default DEFAULT;

-- Name: admin_group admin_group_pkey; Type: CONSTRAINT; Schema: store; Owner: -

ALTER TABLE ONLY store.admin_group
    ADD CONSTRAINT admin_group_pkey PRIMARY KEY (one);

-- Name: assertions_used assertions_used_pkey; Type: CONSTRAINT; Schema: store; Owner: -

ALTER TABLE ONLY store.assertions_used
    ADD CONSTRAINT assertions_used_pkey PRIMARY KEY (issuer, assertion_id);

-- Name: audit audit_pkey; Type: CONSTRAINT; Schema: store; Owner: -

ALTER TABLE ONLY store.audit
    ADD CONSTRAINT audit_pkey PRIMARY KEY (id, at);

-- Name: audit_default audit_default_pkey; Type: CONSTRAINT; Schema: store; Owner: -

ALTER TABLE ONLY store.audit_default
    ADD CONSTRAINT audit_default_pkey PRIMARY KEY (id, at);

-- Name: brake_limits brake_limits_pkey; Type: CONSTRAINT; Schema: store; Owner: -

ALTER TABLE ONLY store.brake_limits
    ADD CONSTRAINT brake_limits_pkey PRIMARY KEY (actor);

-- Name: brake_overrides brake_overrides_pkey; Type: CONSTRAINT; Schema: store; Owner: -

ALTER TABLE ONLY store.brake_overrides
    ADD CONSTRAINT brake_overrides_pkey PRIMARY KEY (actor);

-- Name: change_feed change_feed_pkey; Type: CONSTRAINT; Schema: store; Owner: -

ALTER TABLE ONLY store.change_feed
    ADD CONSTRAINT change_feed_pkey PRIMARY KEY (id);

-- Name: feed_state feed_state_pkey; Type: CONSTRAINT; Schema: store; Owner: -

ALTER TABLE ONLY store.feed_state
    ADD CONSTRAINT feed_state_pkey PRIMARY KEY (only_row);

-- Name: functions_state functions_state_pkey; Type: CONSTRAINT; Schema: store; Owner: -

ALTER TABLE ONLY store.functions_state
    ADD CONSTRAINT functions_state_pkey PRIMARY KEY (only_row);

-- Name: groups groups_pkey; Type: CONSTRAINT; Schema: store; Owner: -

ALTER TABLE ONLY store.groups
    ADD CONSTRAINT groups_pkey PRIMARY KEY (id);

-- Name: id_epoch id_epoch_pkey; Type: CONSTRAINT; Schema: store; Owner: -

ALTER TABLE ONLY store.id_epoch
    ADD CONSTRAINT id_epoch_pkey PRIMARY KEY (only_row);

-- Name: id_reserved id_reserved_blocks_do_not_overlap; Type: CONSTRAINT; Schema: store; Owner: -

ALTER TABLE ONLY store.id_reserved
    ADD CONSTRAINT id_reserved_blocks_do_not_overlap EXCLUDE USING gist (block WITH &&);

-- Name: import_groups import_groups_pkey; Type: CONSTRAINT; Schema: store; Owner: -

ALTER TABLE ONLY store.import_groups
    ADD CONSTRAINT import_groups_pkey PRIMARY KEY (import, number);

-- Name: import_names import_names_pkey; Type: CONSTRAINT; Schema: store; Owner: -

ALTER TABLE ONLY store.import_names
    ADD CONSTRAINT import_names_pkey PRIMARY KEY (import, dn);

-- Name: import_users import_users_pkey; Type: CONSTRAINT; Schema: store; Owner: -

ALTER TABLE ONLY store.import_users
    ADD CONSTRAINT import_users_pkey PRIMARY KEY (import, number);

-- Name: imports imports_pkey; Type: CONSTRAINT; Schema: store; Owner: -

ALTER TABLE ONLY store.imports
    ADD CONSTRAINT imports_pkey PRIMARY KEY (id);

-- Name: login_state login_state_pkey; Type: CONSTRAINT; Schema: store; Owner: -

ALTER TABLE ONLY store.login_state
    ADD CONSTRAINT login_state_pkey PRIMARY KEY (user_id, provider);

-- Name: login_transactions login_transactions_pkey; Type: CONSTRAINT; Schema: store; Owner: -

ALTER TABLE ONLY store.login_transactions
    ADD CONSTRAINT login_transactions_pkey PRIMARY KEY (state_hash);

-- Name: memberships memberships_pkey; Type: CONSTRAINT; Schema: store; Owner: -

ALTER TABLE ONLY store.memberships
    ADD CONSTRAINT memberships_pkey PRIMARY KEY (group_id, member_id) INCLUDE (is_group);

-- Name: memberships memberships_provenance_check; Type: CHECK CONSTRAINT; Schema: store; Owner: -

ALTER TABLE store.memberships
    ADD CONSTRAINT memberships_provenance_check CHECK (((provenance >= 1) AND (provenance <= 63))) NOT VALID;

-- Name: migrations migrations_pkey; Type: CONSTRAINT; Schema: store; Owner: -

ALTER TABLE ONLY store.migrations
    ADD CONSTRAINT migrations_pkey PRIMARY KEY (version);

-- Name: posix_group_names posix_group_names_pkey; Type: CONSTRAINT; Schema: store; Owner: -

ALTER TABLE ONLY store.posix_group_names
    ADD CONSTRAINT posix_group_names_pkey PRIMARY KEY (name);

-- Name: posix_ids posix_ids_pkey; Type: CONSTRAINT; Schema: store; Owner: -

ALTER TABLE ONLY store.posix_ids
    ADD CONSTRAINT posix_ids_pkey PRIMARY KEY (id);

-- Name: scim_requests scim_requests_pkey; Type: CONSTRAINT; Schema: store; Owner: -

ALTER TABLE ONLY store.scim_requests
    ADD CONSTRAINT scim_requests_pkey PRIMARY KEY (id);

-- Name: session_state session_state_pkey; Type: CONSTRAINT; Schema: store; Owner: -

ALTER TABLE ONLY store.session_state
    ADD CONSTRAINT session_state_pkey PRIMARY KEY (only_row);

-- Name: sessions sessions_pkey; Type: CONSTRAINT; Schema: store; Owner: -

ALTER TABLE ONLY store.sessions
    ADD CONSTRAINT sessions_pkey PRIMARY KEY (id_hash);

-- Name: sign_ins sign_ins_pkey; Type: CONSTRAINT; Schema: store; Owner: -

ALTER TABLE ONLY store.sign_ins
    ADD CONSTRAINT sign_ins_pkey PRIMARY KEY (user_id);

-- Name: token_state token_state_pkey; Type: CONSTRAINT; Schema: store; Owner: -

ALTER TABLE ONLY store.token_state
    ADD CONSTRAINT token_state_pkey PRIMARY KEY (only_row);

-- Name: tokens tokens_pkey; Type: CONSTRAINT; Schema: store; Owner: -

ALTER TABLE ONLY store.tokens
    ADD CONSTRAINT tokens_pkey PRIMARY KEY (public_id);

-- Name: user_emails user_emails_pkey; Type: CONSTRAINT; Schema: store; Owner: -

ALTER TABLE ONLY store.user_emails
    ADD CONSTRAINT user_emails_pkey PRIMARY KEY (key, user_id);

-- Name: users users_pkey; Type: CONSTRAINT; Schema: store; Owner: -

ALTER TABLE ONLY store.users
    ADD CONSTRAINT users_pkey PRIMARY KEY (id);

-- Name: assertions_used_expires_at; Type: INDEX; Schema: store; Owner: -

CREATE INDEX assertions_used_expires_at ON store.assertions_used USING btree (expires_at);

-- Name: audit_subject; Type: INDEX; Schema: store; Owner: -

CREATE INDEX audit_subject ON ONLY store.audit USING btree (subject, id);

-- Name: audit_default_subject_id_idx; Type: INDEX; Schema: store; Owner: -

CREATE INDEX audit_default_subject_id_idx ON store.audit_default USING btree (subject, id);

-- Name: groups_deleted_posix_name; Type: INDEX; Schema: store; Owner: -

CREATE INDEX groups_deleted_posix_name ON store.groups USING btree (posix_name) WHERE (deleted_at IS NOT NULL);

-- Name: groups_display_name_key; Type: INDEX; Schema: store; Owner: -

CREATE UNIQUE INDEX groups_display_name_key ON store.groups USING btree (display_name_key) WHERE (deleted_at IS NULL);

-- Name: groups_external_id; Type: INDEX; Schema: store; Owner: -

CREATE INDEX groups_external_id ON store.groups USING btree (external_id) WHERE (external_id IS NOT NULL);

-- Name: groups_gid; Type: INDEX; Schema: store; Owner: -

CREATE UNIQUE INDEX groups_gid ON store.groups USING btree (gid);

-- Name: groups_last_modified; Type: INDEX; Schema: store; Owner: -

CREATE INDEX groups_last_modified ON store.groups USING btree (last_modified, id);

-- Name: import_groups_id; Type: INDEX; Schema: store; Owner: -

CREATE INDEX import_groups_id ON store.import_groups USING btree (import, id);

-- Name: import_groups_posix_name; Type: INDEX; Schema: store; Owner: -

CREATE INDEX import_groups_posix_name ON store.import_groups USING btree (import, posix_name);

-- Name: import_members_number; Type: INDEX; Schema: store; Owner: -

CREATE INDEX import_members_number ON store.import_members USING btree (import, number);

-- Name: login_transactions_expires_at; Type: INDEX; Schema: store; Owner: -

CREATE INDEX login_transactions_expires_at ON store.login_transactions USING btree (expires_at);

-- Name: memberships_member; Type: INDEX; Schema: store; Owner: -

CREATE INDEX memberships_member ON store.memberships USING btree (member_id) INCLUDE (group_id);

-- Name: memberships_nested_down; Type: INDEX; Schema: store; Owner: -

CREATE INDEX memberships_nested_down ON store.memberships USING btree (group_id, member_id) WHERE is_group;

-- Name: memberships_nested_up; Type: INDEX; Schema: store; Owner: -

CREATE INDEX memberships_nested_up ON store.memberships USING btree (member_id, group_id) WHERE is_group;

-- Name: nodes_key; Type: INDEX; Schema: store; Owner: -

CREATE UNIQUE INDEX nodes_key ON store.nodes USING btree (name, ((cache_ttl_s IS NULL)));

-- Name: removals_actor; Type: INDEX; Schema: store; Owner: -

CREATE INDEX removals_actor ON store.removals USING btree (actor, at);

-- Name: scim_requests_token; Type: INDEX; Schema: store; Owner: -

CREATE INDEX scim_requests_token ON store.scim_requests USING btree (token, id);

-- Name: sessions_end_version; Type: INDEX; Schema: store; Owner: -

CREATE INDEX sessions_end_version ON store.sessions USING btree (end_version) WHERE (ended_at IS NOT NULL);

-- Name: sessions_expires_at; Type: INDEX; Schema: store; Owner: -

CREATE INDEX sessions_expires_at ON store.sessions USING btree (expires_at);

-- Name: sessions_provider_subject; Type: INDEX; Schema: store; Owner: -

CREATE INDEX sessions_provider_subject ON store.sessions USING btree (provider, subject) WHERE (ended_at IS NULL);

-- Name: sessions_user; Type: INDEX; Schema: store; Owner: -

CREATE INDEX sessions_user ON store.sessions USING btree (user_id) WHERE (ended_at IS NULL);

-- Name: tokens_parent; Type: INDEX; Schema: store; Owner: -

CREATE INDEX tokens_parent ON store.tokens USING btree (parent) WHERE (parent IS NOT NULL);

-- Name: users_admin; Type: INDEX; Schema: store; Owner: -

CREATE INDEX users_admin ON store.users USING btree (id) WHERE (admin AND (deleted_at IS NULL));

-- Name: users_deleted; Type: INDEX; Schema: store; Owner: -

CREATE INDEX users_deleted ON store.users USING btree (user_name_key) WHERE (deleted_at IS NOT NULL);

-- Name: users_deleted_posix_name; Type: INDEX; Schema: store; Owner: -

CREATE INDEX users_deleted_posix_name ON store.users USING btree (posix_name) WHERE (deleted_at IS NOT NULL);

-- Name: users_display_name_key; Type: INDEX; Schema: store; Owner: -

CREATE INDEX users_display_name_key ON store.users USING btree (display_name_key);

-- Name: users_external_id; Type: INDEX; Schema: store; Owner: -

CREATE INDEX users_external_id ON store.users USING btree (external_id) WHERE (external_id IS NOT NULL);

-- Name: users_last_modified; Type: INDEX; Schema: store; Owner: -

CREATE INDEX users_last_modified ON store.users USING btree (last_modified, id);

-- Name: users_posix_name; Type: INDEX; Schema: store; Owner: -

CREATE UNIQUE INDEX users_posix_name ON store.users USING btree (posix_name) WHERE ((deleted_at IS NULL) AND (posix_name IS NOT NULL));

-- Name: users_primary_gid; Type: INDEX; Schema: store; Owner: -

CREATE INDEX users_primary_gid ON store.users USING btree (primary_gid) WHERE ((deleted_at IS NULL) AND (NOT private_group));

-- Name: users_uid; Type: INDEX; Schema: store; Owner: -

CREATE UNIQUE INDEX users_uid ON store.users USING btree (uid);

-- Name: users_user_name_key; Type: INDEX; Schema: store; Owner: -

CREATE UNIQUE INDEX users_user_name_key ON store.users USING btree (user_name_key) WHERE (deleted_at IS NULL);

-- Name: audit_default_pkey; Type: INDEX ATTACH; Schema: store; Owner: -

ALTER INDEX store.audit_pkey ATTACH PARTITION store.audit_default_pkey;

-- Name: audit_default_subject_id_idx; Type: INDEX ATTACH; Schema: store; Owner: -

ALTER INDEX store.audit_subject ATTACH PARTITION store.audit_default_subject_id_idx;

-- Name: users users_admin_mirror; Type: TRIGGER; Schema: store; Owner: -

CREATE TRIGGER users_admin_mirror AFTER UPDATE OF admin ON store.users FOR EACH ROW WHEN (((new.admin <> old.admin) AND (new.deleted_at IS NULL))) EXECUTE FUNCTION store.admin_mirror();

-- Name: users users_admin_mirror_new; Type: TRIGGER; Schema: store; Owner: -

CREATE TRIGGER users_admin_mirror_new AFTER INSERT ON store.users FOR EACH ROW WHEN (new.admin) EXECUTE FUNCTION store.admin_mirror();

-- Name: users users_end_sessions; Type: TRIGGER; Schema: store; Owner: -

CREATE TRIGGER users_end_sessions AFTER UPDATE OF locked, deleted_at, posix_name ON store.users FOR EACH ROW WHEN (((new.locked AND (NOT old.locked)) OR ((new.deleted_at IS NOT NULL) AND (old.deleted_at IS NULL)) OR (new.posix_name <> old.posix_name))) EXECUTE FUNCTION store.users_end_sessions();

-- Name: SCHEMA api; Type: ACL; Schema: -; Owner: -

GRANT USAGE ON SCHEMA api TO rollcall_app;
GRANT USAGE ON SCHEMA api TO rollcall_read;

-- Name: TABLE groups; Type: ACL; Schema: api; Owner: -

GRANT SELECT ON TABLE api.groups TO rollcall_app;
GRANT SELECT ON TABLE api.groups TO rollcall_read;

-- Name: TABLE memberships; Type: ACL; Schema: api; Owner: -

GRANT SELECT ON TABLE api.memberships TO rollcall_app;
GRANT SELECT ON TABLE api.memberships TO rollcall_read;

-- Name: TABLE user_emails; Type: ACL; Schema: api; Owner: -

GRANT SELECT ON TABLE api.user_emails TO rollcall_app;
GRANT SELECT ON TABLE api.user_emails TO rollcall_read;

-- Name: TABLE users; Type: ACL; Schema: api; Owner: -

GRANT SELECT ON TABLE api.users TO rollcall_app;
GRANT SELECT ON TABLE api.users TO rollcall_read;

