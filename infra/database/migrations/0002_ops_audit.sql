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

-- A body is `opening || detail || closing`, where opening and closing repeat the columns that sort
-- before and after "detail". One definition serves the append function and every verifier, which
-- calls it millions of times: so only what may hold a quote goes through `to_json`, the other
-- fields must not hold one, and the functions are stable as `to_json` is, or they aren't inlined.
create function public.ops_audit_opening(
  action text, actor_login text, actor_sub text, audience text, change_id text, commit_sha text
) returns text language sql stable
begin atomic
  select '{"action":"' || action
    || '","actor_login":' || coalesce('"' || actor_login || '"', 'null')
    || ',"actor_sub":"' || actor_sub
    || '","audience":"' || audience
    || '","change_id":' || coalesce('"' || change_id || '"', 'null')
    || ',"commit_sha":' || coalesce('"' || commit_sha || '"', 'null')
    || ',"detail":';
end;

create function public.ops_audit_closing(
  environment text, idempotency_key text, on_behalf_of text, phase text, plan_digest text,
  policy_digest text, result text, risk text, target text
) returns text language sql stable
begin atomic
  select ',"environment":"' || environment
    || '","idempotency_key":' || to_json(idempotency_key)::text
    || ',"on_behalf_of":' || coalesce('"' || on_behalf_of || '"', 'null')
    || ',"phase":"' || phase
    || '","plan_digest":' || coalesce('"' || plan_digest || '"', 'null')
    || ',"policy_digest":' || coalesce('"' || policy_digest || '"', 'null')
    || ',"result":' || to_json(result)::text
    || ',"risk":"' || risk
    || '","schema":"coh.audit/1","target":' || to_json(target)::text || '}';
end;

-- The cast refuses a middle that is more than one JSON object, such as one that smuggles in keys.
-- PL/pgSQL, because a SQL function that names an argument twice is not inlined and much slower.
create function public.ops_audit_is_body(body text, opening text, closing text) returns boolean
  language plpgsql stable
  as $$
begin
  return pg_catalog.starts_with(body, opening)
    and pg_catalog.right(body, pg_catalog.length(closing)) operator(pg_catalog.=) closing
    and pg_catalog.json_typeof(pg_catalog.substr(body, pg_catalog.length(opening)
      operator(pg_catalog.+) 1, greatest(pg_catalog.length(body)
      operator(pg_catalog.-) pg_catalog.length(opening)
      operator(pg_catalog.-) pg_catalog.length(closing), 0))::pg_catalog.json)
      operator(pg_catalog.=) 'object';
end $$;

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
-- session_replication_role = replica. Whoever disables a trigger is caught by the chain.
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

-- Appends canonical JSON bodies in the given order and returns one seq for each.
-- A key that is there already appends nothing and gives the seq of its entry; the same key with
-- another meaning (anything but `detail` differs) is refused.
create function public.ops_audit_append(entries text[]) returns bigint[]
  language plpgsql security definer
  set search_path = ''
  as $$
declare
  head record;
  moment timestamptz;
  stamp text;
  fresh text[] := entries;
  entry text;
  last bigint;
  hashes text[];
  numbers bigint[];
  inserted bigint;
begin
  -- Numbers are drawn and time is taken under this lock: order of seq = order of commit = time.
  select end_of_log.seq, end_of_log.hash into strict head
    from public.ops_audit_head as end_of_log for update;
  moment := clock_timestamp();
  stamp := to_char(moment at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"');

  for attempt in 1..2 loop
    last := head.seq;
    hashes := array[head.hash];
    numbers := '{}';
    foreach entry in array fresh loop
      last := last + 1;
      numbers := numbers || last;
      hashes := hashes || encode(sha256(convert_to(
        'coh.audit/1' || e'\n' || last || e'\n' || stamp || e'\n' || hashes[cardinality(hashes)]
          || e'\n' || entry, 'UTF8')), 'hex');
    end loop;

    begin
      -- All rows in one statement: Postgres prepares the table's constraints once a statement.
      insert into public.ops_audit (
        seq, recorded_at, environment, actor_sub, actor_login, on_behalf_of, action, target, risk,
        phase, result, change_id, plan_digest, policy_digest, commit_sha, audience,
        idempotency_key, body, prev_hash, hash)
      select
        numbers[given.place], moment, say.environment, say.actor_sub, say.actor_login,
        say.on_behalf_of, say.action, say.target, say.risk, say.phase, say.result, say.change_id,
        say.plan_digest, say.policy_digest, say.commit_sha, say.audience, say.idempotency_key,
        given.body, hashes[given.place], hashes[given.place + 1]
      from unnest(fresh) with ordinality as given (body, place),
        json_to_record(given.body::json) as say (
          environment text, actor_sub text, actor_login text, on_behalf_of text, action text,
          target text, risk text, phase text, result text, change_id text, plan_digest text,
          policy_digest text, commit_sha text, audience text, idempotency_key text)
      where public.ops_audit_is_body(
        given.body,
        public.ops_audit_opening(say.action, say.actor_login, say.actor_sub, say.audience,
          say.change_id, say.commit_sha),
        public.ops_audit_closing(say.environment, say.idempotency_key, say.on_behalf_of, say.phase,
          say.plan_digest, say.policy_digest, say.result, say.risk, say.target));
      get diagnostics inserted = row_count;
      exit;
    exception when unique_violation then
      if attempt = 2 then
        raise;
      end if;
      fresh := public.ops_audit_fresh(entries);
    end;
  end loop;

  if inserted <> cardinality(fresh) then
    raise exception 'audit entry is not a coh.audit/1 document in canonical form'
      using errcode = 'invalid_parameter_value';
  end if;
  if inserted > 0 then
    update public.ops_audit_head set seq = last, hash = hashes[cardinality(hashes)];
  end if;
  if inserted < cardinality(entries) then
    return public.ops_audit_numbers(entries);
  end if;
  return numbers;
end $$;

comment on function public.ops_audit_append(text[]) is
  'Appends canonical JSON entries to ops_audit under the head lock and returns their seq numbers.';

-- The entries of a batch that are not recorded yet, each key once, in order.
-- Called under the head lock. A plan that was made while the table was small must not scan all of
-- it ever after, hence no sequential scans.
create function public.ops_audit_fresh(entries text[]) returns text[]
  language plpgsql
  set search_path = ''
  set enable_seqscan = off
  as $$
begin
  if exists (
    with given as (
      select e.body::jsonb ->> 'idempotency_key' as key, e.body::jsonb - 'detail' as meaning
      from unnest(entries) as e (body)
    ), all_of_them as (
      select key, meaning from given
      union all
      select given.key, old.body::jsonb - 'detail'
      from given join public.ops_audit as old on old.idempotency_key = given.key
    )
    select from all_of_them group by key having count(distinct meaning) > 1
  ) then
    raise exception 'an audit key is taken by an entry that says something else'
      using errcode = 'unique_violation', constraint = 'ops_audit_key_meaning';
  end if;

  return (
    select coalesce(array_agg(once.body order by once.place), '{}')
    from (
      select distinct on (e.body::jsonb ->> 'idempotency_key') e.body, e.place
      from unnest(entries) with ordinality as e (body, place)
      where not exists (
        select from public.ops_audit as old
        where old.idempotency_key = e.body::jsonb ->> 'idempotency_key')
      order by e.body::jsonb ->> 'idempotency_key', e.place
    ) as once);
end $$;

-- The numbers of entries that are all recorded, in the given order.
create function public.ops_audit_numbers(entries text[]) returns bigint[]
  language sql stable
  set search_path = ''
  set enable_seqscan = off
  as $$
    select array_agg(found.seq order by e.place)
    from unnest(entries) with ordinality as e (body, place)
    join public.ops_audit as found
      on found.idempotency_key = e.body::jsonb ->> 'idempotency_key'
  $$;

-- What the console calls for a signed-in person: one entry, in their own name, about something safe
-- that no change asked for. Masking needs the writer's code, so free detail is not taken from here,
-- and a prefix keeps these keys from ever taking the place of an apply's.
create function public.ops_audit_ingest(entry text) returns bigint
  language plpgsql security definer
  set search_path = ''
  as $$
declare
  given constant jsonb := entry::jsonb;
begin
  if public.ops_subject() is null or public.ops_subject() is distinct from given ->> 'actor_sub' then
    raise exception 'an audit entry can be written only in one''s own name'
      using errcode = 'insufficient_privilege';
  end if;
  if not coalesce(given ->> 'idempotency_key' like 'console:%' and given ->> 'risk' = 'safe', false)
      or given -> 'detail' is distinct from '{}'::jsonb
      or coalesce(given ->> 'change_id', given ->> 'on_behalf_of') is not null then
    raise exception 'from the console: key console:…, risk safe, no change, no detail'
      using errcode = 'insufficient_privilege';
  end if;
  return (public.ops_audit_append(array[entry]))[1];
end $$;

comment on function public.ops_audit_ingest(text) is
  'Appends one entry without detail in the name of the signed-in person; returns its seq.';

revoke all on function public.ops_audit_refuse() from public, anon, authenticated, service_role;
revoke all on function public.ops_audit_append(text[]) from public, anon, authenticated, service_role;
revoke all on function public.ops_audit_fresh(text[]) from public, anon, authenticated, service_role;
revoke all on function public.ops_audit_numbers(text[])
  from public, anon, authenticated, service_role;
revoke all on function public.ops_audit_ingest(text) from public, anon, authenticated, service_role;
grant execute on function public.ops_audit_append(text[]) to service_role;
grant execute on function public.ops_audit_ingest(text) to authenticated;
