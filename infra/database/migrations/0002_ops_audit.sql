-- The record book: append-only, hash-chained, readable by row-level security.
--
-- What an entry says is its `body`: canonical JSON (RFC 8785) as the writer sent it. The columns are
-- extracted from the body by the append function, for queries and policies only.
--
-- hash = lower-case hex of SHA-256 over these UTF-8 bytes, lines separated by one line feed:
--
--     coh.audit/1
--     <seq, decimal>
--     <recorded_at, UTC, such as 2026-11-24T09:00:00.000000Z>
--     <prev_hash, 64 hex digits; 64 zeros for the first entry>
--     <body>
--
-- No line but the last can hold a line feed, and the body comes last, so the bytes are unambiguous.

create table public.ops_audit (
  seq bigint primary key check (seq > 0),
  recorded_at timestamptz not null,
  environment text not null check (environment <> ''),
  actor_sub text not null check (actor_sub <> ''),
  actor_login text,
  on_behalf_of text,
  action text not null check (action <> ''),
  target text not null,
  risk text not null check (risk in ('safe', 'guarded', 'destructive')),
  phase text not null check (phase in ('intent', 'outcome', 'refusal', 'settle', 'system')),
  result text not null check (result <> ''),
  change_id text,
  plan_digest text,
  policy_digest text,
  commit_sha text,
  audience text not null default 'operations' check (audience in ('operations', 'finance')),
  idempotency_key text not null unique check (idempotency_key <> ''),
  -- The entry size limit of C2SP tlog-tiles, so that each body can become a leaf of such a log.
  body text not null check (octet_length(body) <= 65535),
  prev_hash text not null check (prev_hash ~ '^[0-9a-f]{64}$'),
  hash text not null check (hash ~ '^[0-9a-f]{64}$')
);

comment on table public.ops_audit is
  'Hash-chained record book of the Operations Hub; written only through ops_audit_append.';

create index ops_audit_actor on public.ops_audit (actor_sub, seq);
create index ops_audit_on_behalf_of on public.ops_audit (on_behalf_of, seq)
  where on_behalf_of is not null;
create index ops_audit_change on public.ops_audit (change_id, seq) where change_id is not null;
create index ops_audit_refused on public.ops_audit (change_id) where phase = 'refusal';
create index ops_audit_destructive on public.ops_audit (environment, recorded_at)
  where risk = 'destructive';

-- One row: where the chain ends. Its lock is what puts appends in one line.
create table public.ops_audit_head (
  singleton boolean primary key default true check (singleton),
  seq bigint not null check (seq >= 0),
  hash text not null check (hash ~ '^[0-9a-f]{64}$')
) with (fillfactor = 10);

comment on table public.ops_audit_head is 'Sequence number and hash of the last entry of ops_audit.';

insert into public.ops_audit_head (seq, hash) values (0, repeat('0', 64));

-- Append-only for everyone, owner and superuser included. `enable always` also fires under
-- session_replication_role = replica. Who may disable a trigger can still change history: the chain
-- shows an edit, unless all later hashes and the head are written anew or the end is cut off and the
-- head set back. Only a head that was kept outside this database shows that.
create function public.ops_audit_refuse() returns trigger
  language plpgsql
  set search_path = ''
  as $$
begin
  raise exception '% is append-only: % refused', tg_table_name, lower(tg_op)
    using errcode = 'insufficient_privilege';
end $$;

create trigger ops_audit_no_change before update or delete on public.ops_audit
  for each row execute function public.ops_audit_refuse();
create trigger ops_audit_no_truncate before truncate on public.ops_audit
  for each statement execute function public.ops_audit_refuse();
create trigger ops_audit_head_forward before update on public.ops_audit_head
  for each row when (new.seq <= old.seq) execute function public.ops_audit_refuse();
create trigger ops_audit_head_stays before insert or delete on public.ops_audit_head
  for each row execute function public.ops_audit_refuse();
create trigger ops_audit_head_no_truncate before truncate on public.ops_audit_head
  for each statement execute function public.ops_audit_refuse();

alter table public.ops_audit enable always trigger ops_audit_no_change;
alter table public.ops_audit enable always trigger ops_audit_no_truncate;
alter table public.ops_audit_head enable always trigger ops_audit_head_forward;
alter table public.ops_audit_head enable always trigger ops_audit_head_stays;
alter table public.ops_audit_head enable always trigger ops_audit_head_no_truncate;

alter table public.ops_audit enable row level security;
alter table public.ops_audit force row level security;
alter table public.ops_audit_head enable row level security;
alter table public.ops_audit_head force row level security;

-- Forced row-level security binds the owner too, and the append function runs as the owner.
create policy ops_audit_owner_reads on public.ops_audit
  for select to current_user using (true);
create policy ops_audit_owner_appends on public.ops_audit
  for insert to current_user with check (true);
create policy ops_audit_owner_head on public.ops_audit_head
  for all to current_user using (true) with check (true);

-- The sub-selects are evaluated once a query, not once a row.
create policy ops_audit_people_read on public.ops_audit
  for select to authenticated using (
    (select public.ops_has_role('ops_admin'))
    or (audience = 'finance' and (select public.ops_has_role('ops_finance')))
    or (audience = 'operations' and actor_sub = (select public.ops_subject()))
    or (audience = 'operations' and on_behalf_of = (select public.ops_subject()))
  );

-- Supabase's default privileges give new tables to all API roles: take that back first.
revoke all on public.ops_audit, public.ops_audit_head from public, anon, authenticated, service_role;
grant select on public.ops_audit to authenticated, service_role;
grant select on public.ops_audit_head to service_role;

revoke all on function public.ops_audit_refuse() from public, anon, authenticated, service_role;
