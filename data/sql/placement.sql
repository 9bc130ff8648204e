-- Every option (variant x instance x batch) x number of servers x region: what it costs a year, which limits it breaks,
-- and the best of each variant in each region. Tables: option, offer, place, extra.
-- Time in ms and s, power in W, energy in kWh a year. A limit is a bit: 1 latency, 2 memory, 4 filters, 8 price, 16 load.
WITH served AS (  -- how many servers, rounded up to whole instances
    SELECT
        option.*,
        option.option_id * $extras + extra.extra_id AS choice_id,
        $peak_per_s * service_ms / $ms_per_s / batch AS offered,
        ceil(
            greatest(1.0, ceil(offered / $utilisation_limit) * (1.0 + extra.share) + extra.more)
            / servers_per_instance
        ) AS instances,
        instances * servers_per_instance AS servers,
        offered / servers AS utilisation_frac,
        least(utilisation_frac, 0.999999) AS rho,
        (batch - 1) / $peak_per_s * $ms_per_s AS fill_ms
    FROM option CROSS JOIN extra
),
queued AS (  -- M/G/c: Sakasegawa's chance of waiting, an exponential tail, (1 + cv2) / 2 for the spread of the service
    SELECT
        *,
        greatest(0.0, (sqrt(2.0 * (servers + 1.0)) - 1.0) * ln(rho) - ln(1.0 - $percentile / 100.0))
            * (1.0 + $service_cv2) / 2.0 * service_ms / (servers * (1.0 - rho)) AS queue_ms,
        fill_ms + queue_ms + service_ms AS serving_ms,
        least(1.0, $mean_per_s * service_ms / $ms_per_s / batch / servers) AS busy_frac,
        servers * (idle_low_w + greatest(0.0, busy_low_w - idle_low_w) * busy_frac) AS low_w,
        servers * (idle_w + (busy_w - idle_w) * busy_frac) AS mid_w,
        servers * (idle_high_w + greatest(0.0, busy_high_w - idle_high_w) * busy_frac) AS high_w,
        CASE WHEN fits = FALSE THEN 2 ELSE 0 END
            + CASE WHEN utilisation_frac > $utilisation_limit OR servers > most_servers THEN 16 ELSE 0 END AS broken
    FROM served
),
farthest AS (  -- round trip to the farthest of the users' places, by great circle; NULL where the region's place is not known
    SELECT
        offer.offer_id,
        CASE WHEN count(place.latitude) = 0 THEN 0.0 ELSE max(CASE WHEN offer.latitude IS NOT NULL THEN
            2.0 * $earth_radius_km * asin(least(1.0, sqrt(
                pow(sin(radians(place.latitude - offer.latitude) / 2.0), 2)
                + cos(radians(place.latitude)) * cos(radians(offer.latitude))
                * pow(sin(radians(place.longitude - offer.longitude) / 2.0), 2)
            )))
        END) END * 2.0 * $route_factor / $fibre_km_per_ms AS network_ms
    FROM offer LEFT JOIN place ON TRUE
    GROUP BY offer.offer_id
),
priced AS (
    SELECT
        offer.offer_id,
        offer.target_id,
        farthest.network_ms,
        offer.usd_per_h * $h_per_year AS usd_per_year,
        CASE $objective WHEN 'energy' THEN pue WHEN 'carbon' THEN pue * g_per_kwh ELSE 0.0 END
            * $overhead_mid * $h_per_year / $w_per_kw AS per_w,
        CASE WHEN offer.allowed AND farthest.network_ms IS NOT NULL THEN 0 ELSE 4 END AS broken
    FROM offer
    JOIN farthest USING (offer_id)
),
judged AS (
    SELECT
        queued.variant_id,
        queued.choice_id,
        priced.offer_id,
        serving_ms + network_ms AS answer_ms,
        CASE $objective
            WHEN 'cost' THEN instances * usd_per_year
            WHEN 'latency' THEN serving_ms + network_ms
            ELSE mid_w * per_w
        END AS value,
        queued.broken + priced.broken
            + CASE WHEN serving_ms + network_ms > $budget_ms THEN 1 ELSE 0 END
            + CASE WHEN instances * usd_per_year > $usd_limit THEN 8 ELSE 0 END AS broken
    FROM queued JOIN priced USING (target_id)
),
best AS (
    SELECT
        variant_id,
        offer_id,
        count(*) AS considered,
        count(*) FILTER (WHERE broken = 0) AS feasible,
        min(value) FILTER (WHERE broken = 0) AS value,
        min(answer_ms) AS fastest_answer_ms,
        min(value) FILTER (WHERE broken = 1) AS without_latency,
        min(value) FILTER (WHERE broken = 2) AS without_memory,
        min(value) FILTER (WHERE broken = 4) AS without_filters,
        min(value) FILTER (WHERE broken = 8) AS without_price
    FROM judged
    GROUP BY variant_id, offer_id
),
counts AS (
    SELECT
        sum(considered)::BIGINT AS considered,
        sum(feasible)::BIGINT AS feasible,
        min(fastest_answer_ms) AS fastest_answer_ms,
        min(without_latency) AS without_latency,
        min(without_memory) AS without_memory,
        min(without_filters) AS without_filters,
        min(without_price) AS without_price
    FROM best
),
ranked AS (
    SELECT
        best.variant_id, best.offer_id, best.value,
        best.value * CASE WHEN target.is_cpu THEN 1.0 - $cpu_preference ELSE 1.0 END AS ranked_by
    FROM best
    JOIN offer USING (offer_id)
    JOIN (SELECT target_id, bool_or(kind = 'cpu') AS is_cpu FROM option GROUP BY target_id) AS target USING (target_id)
    WHERE best.value IS NOT NULL
    ORDER BY ranked_by, best.offer_id, best.variant_id
    LIMIT $rows
),
settled AS (  -- what is as good but for $same of it is equal: of these the quickest, so that nobody waits for a full batch in vain
    SELECT variant_id, offer_id, arg_min(choice_id, answer_ms) AS choice_id
    FROM judged JOIN ranked USING (variant_id, offer_id)
    WHERE judged.broken = 0 AND judged.value <= ranked.value * (1.0 + $same)
    GROUP BY variant_id, offer_id
)
SELECT
    counts.*,
    ranked.variant_id, ranked.offer_id, ranked.value, ranked.ranked_by,
    queued.target_id, queued.batch, queued.service_ms, queued.servers, queued.instances, queued.utilisation_frac,
    queued.busy_frac, queued.fill_ms, queued.queue_ms, priced.network_ms,
    queued.serving_ms + priced.network_ms AS answer_ms,
    queued.instances * priced.usd_per_year AS usd_per_year,
    queued.low_w * $overhead_low * offer.pue_low * $h_per_year / $w_per_kw AS kwh_low,
    queued.mid_w * $overhead_mid * offer.pue * $h_per_year / $w_per_kw AS kwh_mid,
    queued.high_w * $overhead_high * offer.pue_high * $h_per_year / $w_per_kw AS kwh_high
FROM counts
LEFT JOIN ranked ON TRUE
LEFT JOIN settled ON settled.variant_id = ranked.variant_id AND settled.offer_id = ranked.offer_id
LEFT JOIN queued ON queued.choice_id = settled.choice_id
LEFT JOIN priced ON priced.offer_id = ranked.offer_id
LEFT JOIN offer ON offer.offer_id = ranked.offer_id
ORDER BY ranked.ranked_by, ranked.offer_id, ranked.variant_id
