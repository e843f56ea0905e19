-- The one way into the record book: what a body looks like, and the functions that append one.

-- A body is `opening || detail || closing`, where opening and closing repeat the columns that sort
-- before and after "detail". A verifier writes the same itself and does not call these functions,
-- since whoever edits columns could replace them. Only what may hold a quote goes through `to_json`,
-- the other fields must not hold one, and the functions are stable as `to_json` is, or they aren't
-- inlined.
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

-- What the console calls for a signed-in person who holds a role: one entry, in their own name, about
-- something safe that no change asked for. The body is made here of the few fields that are taken, so
-- nothing else that a caller sends is kept: no login, digest, commit or detail. Masking is the writer's
-- code, so what could be a secret or personal is refused by its form: no space, no `@`, no eight
-- digits and no twenty letters or digits in a row. Keys and actions have a prefix of their own, and
-- the phase is one that no apply writes: none of these can pass for what an apply did.
create function public.ops_audit_ingest(entry text) returns bigint
  language plpgsql security definer
  set search_path = ''
  as $$
declare
  given constant jsonb := entry::jsonb;
  word constant text := '^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$';
  name constant text := '^[A-Za-z0-9][A-Za-z0-9._:/-]*$';
  lengths constant jsonb :=
    '{"environment": 32, "action": 64, "target": 64, "result": 32, "idempotency_key": 100}';
begin
  if public.ops_subject() is null or public.ops_subject() is distinct from given ->> 'actor_sub' then
    raise exception 'an audit entry can be written only in one''s own name'
      using errcode = 'insufficient_privilege';
  end if;
  if not (public.ops_has_role('ops_viewer') or public.ops_has_role('ops_editor')
      or public.ops_has_role('ops_finance') or public.ops_has_role('ops_admin')) then
    raise exception 'an audit entry needs a role of the hub'
      using errcode = 'insufficient_privilege';
  end if;
  -- An audience that the caller does not read would hide what they wrote from themselves.
  if not coalesce(given ->> 'audience' = 'operations' or given ->> 'audience' = 'finance'
      and (public.ops_has_role('ops_finance') or public.ops_has_role('ops_admin')), false) then
    raise exception 'an audience that the writer does not read'
      using errcode = 'insufficient_privilege';
  end if;
  if not coalesce(given ->> 'idempotency_key' ~ '^console:[A-Za-z0-9._:-]+$'
        and given ->> 'action' ~ '^console\.' and given ->> 'action' ~ word
        and given ->> 'risk' = 'safe' and given ->> 'phase' = 'system', false)
      or given -> 'detail' is distinct from '{}'::jsonb
      or coalesce(given ->> 'change_id', given ->> 'on_behalf_of') is not null then
    raise exception
      'from the console: key console:…, action console.…, risk safe, phase system, no change, no detail'
      using errcode = 'insufficient_privilege';
  end if;
  if not coalesce(given ->> 'environment' ~ '^[a-z][a-z0-9-]*$' and given ->> 'result' ~ word
        and given ->> 'target' ~ name
        and concat_ws(' ', given ->> 'environment', given ->> 'action', given ->> 'target',
          given ->> 'result') !~ '[0-9]([._:/-]?[0-9]){7}|[A-Za-z0-9]{20}', false)
      or exists (select from jsonb_each_text(lengths) as most (key, characters)
        where length(given ->> most.key) > most.characters::integer) then
    raise exception 'environment, target, result or key in another form or longer than is taken'
      using errcode = 'insufficient_privilege';
  end if;
  return (public.ops_audit_append(array[
    public.ops_audit_opening(given ->> 'action', null, public.ops_subject(), given ->> 'audience',
      null, null)
    || '{}'
    || public.ops_audit_closing(given ->> 'environment', given ->> 'idempotency_key', null, 'system',
      null, null, given ->> 'result', 'safe', given ->> 'target')]))[1];
end $$;

comment on function public.ops_audit_ingest(text) is
  'Appends one entry of the console in the name of the signed-in person, who holds a role; returns its seq.';

revoke all on function public.ops_audit_append(text[]) from public, anon, authenticated, service_role;
revoke all on function public.ops_audit_fresh(text[]) from public, anon, authenticated, service_role;
revoke all on function public.ops_audit_numbers(text[])
  from public, anon, authenticated, service_role;
revoke all on function public.ops_audit_ingest(text) from public, anon, authenticated, service_role;
grant execute on function public.ops_audit_append(text[]) to service_role;
grant execute on function public.ops_audit_ingest(text) to authenticated;
