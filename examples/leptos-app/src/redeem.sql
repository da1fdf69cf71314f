update coupons set used_by = coalesce(used_by, ?1) where code = ?2 returning customer, used_by = ?1;
